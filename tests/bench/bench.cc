// Measures `cowvet check` beside `qemu-img check` and beside the floor: reading the same metadata with four
// threads and doing nothing with it. Whole processes, on warm files, in turn; medians. Not a test: it asserts
// nothing about time.
#include <fmt/format.h>

#include <boost/program_options.hpp>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <iostream>

#include "tests/bench/floor.h"
#include "tests/bench/measure.h"
#include "tests/bench/rows.h"

namespace cowvet::bench {
namespace {

namespace po = boost::program_options;

struct Settings {
  std::filesystem::path directory;
  std::string only;
  unsigned rounds = 5;
  unsigned slow_rounds = 1;
  bool keep = false;
};

struct Measured {
  Summary qemu;
  Summary cowvet;
  Summary floor;
};

Measured measure(const Row& row, const std::string& image, const Settings& settings) {
  const std::vector<std::string> floor{"/proc/self/exe", "--floor", image};
  const std::vector<std::string> cowvet{COWVET_PROGRAM, "check", "--output=json", image};
  const std::vector<std::string> qemu{"qemu-img", "check", "--output=json", image};
  run(floor);  // from here on the file is warm
  std::vector<Cost> floors;
  std::vector<Cost> cowvets;
  std::vector<Cost> qemus;
  for (unsigned round = 0; round < settings.rounds; ++round) {
    floors.push_back(run(floor));
    cowvets.push_back(run(cowvet));
    if (round < (row.slow_for_qemu ? settings.slow_rounds : settings.rounds)) qemus.push_back(run(qemu));
  }
  return {summarize(std::move(qemus)), summarize(std::move(cowvets)), summarize(std::move(floors))};
}

// The time of a program that gave up says nothing.
bool counts(const Summary& summary) {
  return summary.seconds > 0 && summary.status == 0;
}

std::string milliseconds(const Summary& summary) {
  if (summary.seconds == 0) return "-";
  return counts(summary) ? fmt::format("{:.1f}", summary.seconds * 1e3)
                         : fmt::format("exit {}", summary.status);
}

std::string mebibytes(const Summary& summary) {
  return counts(summary) ? fmt::format("{:.1f}", static_cast<double>(summary.peak_bytes) / (1 << 20)) : "-";
}

std::string ratio(const Summary& of, const Summary& to) {
  return counts(of) && counts(to) ? fmt::format("{:.1f}", of.seconds / to.seconds) : "-";
}

void print_line(const auto&... cells) {
  fmt::print("{:<42} {:>11} {:>11} {:>9} {:>9} {:>10} {:>9} {:>11}  {}\n", cells...);
  std::fflush(stdout);
}

void print_row(const Row& row, const Measured& measured) {
  print_line(row.what, milliseconds(measured.qemu), milliseconds(measured.cowvet),
             milliseconds(measured.floor), ratio(measured.qemu, measured.cowvet),
             ratio(measured.cowvet, measured.floor), mebibytes(measured.qemu), mebibytes(measured.cowvet),
             row.target);
}

// In a process of its own: what a maker holds in memory would count as the peak of every program run later.
void make(const Row& row, const std::string& image) {
  if (run({"/proc/self/exe", "--make", row.name, image}).status != 0)
    throw std::runtime_error("cannot make " + image);
}

int run_all(const Settings& settings) {
  std::filesystem::create_directories(settings.directory);
  std::filesystem::current_path(settings.directory);  // QEMU looks for data files here
  print_line("", "qemu-img ms", "cowvet ms", "floor ms", "qemu/cow", "cow/floor", "qemu MiB", "cowvet MiB",
             "target");
  for (const Row& row : rows()) {
    if (!settings.only.empty() && row.name.find(settings.only) == std::string::npos) continue;
    const std::string image = row.name + ".qcow2";
    if (!std::filesystem::exists(image)) make(row, image);
    print_row(row, measure(row, image, settings));
    if (!settings.keep) {
      std::filesystem::remove(image);
      std::filesystem::remove(image + ".data");
    }
  }
  return 0;
}

int make_one(const std::string& name, const std::string& image) {
  for (const Row& row : rows())
    if (row.name == name) row.make(image);
  return 0;
}

int run_main(int argc, char** argv) {
  Settings settings{.directory = std::filesystem::temp_directory_path() / "cowvet-bench", .only = {}};
  std::string floor;
  std::string directory;
  std::vector<std::string> to_make;
  po::options_description options("Options");
  options.add_options()("help", "say this")(
      "directory", po::value(&directory)->value_name("DIRECTORY"),
      "where images are made; they are sparse, 2 GiB in all (default: cowvet-bench in TMPDIR)")(
      "only", po::value(&settings.only)->value_name("TEXT"), "rows whose name contains TEXT")(
      "rounds", po::value(&settings.rounds)->default_value(settings.rounds), "runs of each program")(
      "slow-rounds", po::value(&settings.slow_rounds)->default_value(settings.slow_rounds),
      "runs of qemu-img where it needs minutes; 0 skips it there")("keep", po::bool_switch(&settings.keep),
                                                                   "keep the images for the next time")(
      "floor", po::value(&floor)->value_name("IMAGE"), "only read the metadata of IMAGE")(
      "make", po::value(&to_make)->multitoken()->value_name("ROW IMAGE"), "only make the image of a row");
  po::variables_map values;
  po::store(po::parse_command_line(argc, argv, options), values);
  po::notify(values);
  if (values.contains("help")) {
    std::cout << "Measures cowvet beside qemu-img.\n\n" << options;
    return 0;
  }
  if (!floor.empty()) {
    read_metadata(floor);
    return 0;
  }
  if (to_make.size() == 2) return make_one(to_make[0], to_make[1]);
  if (!directory.empty()) settings.directory = std::filesystem::absolute(directory);
  return run_all(settings);
}

}  // namespace

}  // namespace cowvet::bench

int main(int argc, char** argv) {
  try {
    return cowvet::bench::run_main(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "cowvet-bench: {}\n", error.what());
    return 1;
  }
}
