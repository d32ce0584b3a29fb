// Measures cowvet beside qemu-img and beside the floor: reading the same metadata and doing nothing with it.
// Whole processes, in turn; medians. Not a test: it asserts nothing about time.
#include <fmt/format.h>
#include <sched.h>

#include <boost/program_options.hpp>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iostream>
#include <stdexcept>

#include "tests/bench/floor.h"
#include "tests/bench/rows.h"
#include "tests/bench/tables.h"
#include "tests/bench/triage_row.h"

namespace cowvet::bench {
namespace {

namespace po = boost::program_options;

struct NamedTable {
  std::string_view name;
  void (*measure)(const Settings&);
};
constexpr NamedTable kTables[] = {
    {"rows", measure_rows},
    {"threads", measure_threads},
    {"growth", measure_growth},
    {"cold", measure_cold},
    {"memory-cap", measure_memory_cap},
    {"rebuild", measure_rebuild},
    {"instructions", count_instructions},
    {"triage", measure_triage},
};

std::string table_names() {
  std::string names;
  for (const NamedTable& table : kTables) names += fmt::format("{} ", table.name);
  return names + "all";
}

// This process and those that it starts.
void use_cores(unsigned cores) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (unsigned core = 0; core < cores; ++core) CPU_SET(core, &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0) throw std::runtime_error("cannot use so many cores");
}

void measure(const std::string& name, const Settings& settings) {
  bool any = false;
  for (const NamedTable& table : kTables) {
    if (name != "all" && name != table.name) continue;
    table.measure(settings);
    any = true;
  }
  if (!any) throw std::runtime_error("no such table: " + name);
}

int run_main(int argc, char** argv) {
  Settings settings{.directory = std::filesystem::temp_directory_path() / "cowvet-bench", .only = {}};
  std::string table = "rows";
  std::string directory;
  std::string json;
  std::string floor;
  unsigned floor_threads = 4;
  unsigned cores = 0;
  std::vector<std::string> to_make;
  po::options_description options("Options");
  const auto add = [&](const char* name, const po::value_semantic* value, const std::string& text) {
    options.add_options()(name, value, text.c_str());
  };
  options.add_options()("help", "say this");
  add("table", po::value(&table)->value_name("NAME"), table_names() + " (default: rows)");
  add("directory", po::value(&directory)->value_name("DIRECTORY"),
      "where images are made; they are sparse, a few GiB in all (default: cowvet-bench in TMPDIR)");
  add("only", po::value(&settings.only)->value_name("TEXT"), "rows whose name contains TEXT");
  add("rounds", po::value(&settings.rounds)->default_value(settings.rounds), "runs of each program");
  add("slow-rounds", po::value(&settings.slow_rounds)->default_value(settings.slow_rounds),
      "runs of qemu-img where it needs minutes; 0 skips it there");
  add("keep", po::bool_switch(&settings.keep), "keep the images for the next time");
  add("json", po::value(&json)->value_name("FILE"), "write what was measured to FILE");
  add("cores", po::value(&cores)->value_name("N"), "use no more than N cores for all programs");
  add("floor", po::value(&floor)->value_name("IMAGE"), "only read the metadata of IMAGE");
  add("floor-threads", po::value(&floor_threads)->default_value(floor_threads), "threads of --floor");
  add("make", po::value(&to_make)->multitoken()->value_name("ROW IMAGE"), "only make the image of a row");
  po::variables_map values;
  po::store(po::parse_command_line(argc, argv, options), values);
  po::notify(values);
  if (values.contains("help")) {
    std::cout << "Measures cowvet beside qemu-img.\n\n" << options;
    return 0;
  }
  if (!floor.empty()) {
    read_metadata(floor, floor_threads);
    return 0;
  }
  if (to_make.size() == 2) {
    find_row(to_make[0]).make(to_make[1]);
    return 0;
  }
  if (!json.empty()) json = std::filesystem::absolute(json);
  if (!directory.empty()) settings.directory = std::filesystem::absolute(directory);
  std::filesystem::create_directories(settings.directory);
  std::filesystem::current_path(settings.directory);  // QEMU looks for data files here
  if (cores != 0) use_cores(cores);
  measure(table, settings);
  if (!json.empty()) std::ofstream(json) << Table::records().dump(1) << '\n';
  return 0;
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
