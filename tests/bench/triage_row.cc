#include "tests/bench/triage_row.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "tests/bench/measure.h"

namespace cowvet::bench {
namespace {

namespace fs = std::filesystem;

constexpr unsigned kFiles = 10'000;
constexpr unsigned kPerDirectory = 1000;
constexpr unsigned kSample = 200;

fs::path name_of(const fs::path& corpus, unsigned number) {
  return corpus / std::to_string(number / kPerDirectory) / fmt::format("{}.qcow2", number);
}

struct Kind {
  std::string_view name;
  std::string_view what;
  const char* script;  // makes the file "seed.qcow2"
  std::vector<unsigned> images;
};
const std::vector<Kind>& kinds() {
  static const std::vector<Kind> all = {
      {"triage",
       "of 50 KiB",
       "qemu-img create -q -f qcow2 -o cluster_size=4k seed.qcow2 1M && "
       "qemu-io -c 'write -q 0 16k' seed.qcow2",
       {100u, kFiles, 10 * kFiles}},
      {"triage-64M", "of 64 MiB, new", "qemu-img create -q -f qcow2 seed.qcow2 64M", {kFiles}},
      {"triage-64M-written",
       "of 64 MiB, written to",
       "qemu-img create -q -f qcow2 seed.qcow2 64M && "
       "qemu-io -c 'write -q 0 64k' -c 'write -q 1M 64k' seed.qcow2",
       {kFiles}},
  };
  return all;
}

std::string make_seed(const Kind& kind) {
  if (run({"sh", "-c", kind.script}).status != 0) throw std::runtime_error("cannot make a small image");
  std::ifstream file("seed.qcow2", std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The first kFiles are files, all others further names of them.
void make_corpus(const fs::path& corpus, unsigned images, const std::string& seed) {
  for (unsigned number = 0; number < images; ++number) {
    const fs::path name = name_of(corpus, number);
    if (number % kPerDirectory == 0) fs::create_directories(name.parent_path());
    if (number < kFiles)
      std::ofstream(name, std::ios::binary) << seed;
    else
      fs::create_hard_link(name_of(corpus, number % kFiles), name);
  }
}

Summary run_triage(const fs::path& corpus, unsigned rounds) {
  std::vector<Cost> costs;
  for (unsigned round = 0; round < rounds; ++round)
    costs.push_back(run({COWVET_PROGRAM, "triage", corpus.string()}));
  return summarize(std::move(costs));
}

// Of all images, by the time that a sample takes.
Summary run_qemu_img(const fs::path& corpus, unsigned images) {
  const unsigned sample = std::min(images, kSample);
  Summary whole;
  for (unsigned at = 0; at < sample; ++at) {
    const auto number = static_cast<unsigned>(std::uint64_t{at} * images / sample);
    const Cost cost = run({"qemu-img", "check", name_of(corpus, number).string()});
    whole.seconds += cost.seconds * images / sample;
    whole.peak_bytes = std::max(whole.peak_bytes, cost.peak_bytes);
    whole.status = std::max(whole.status, cost.status);
  }
  return whole;
}

std::string images_a_second(const Summary& summary, unsigned images) {
  return counts(summary) ? fmt::format("{:.0f}", images / summary.seconds) : "-";
}

void measure_kind(Table& table, const Kind& kind, unsigned images, const Settings& settings) {
  const std::string row = fmt::format("{}-{}", kind.name, images);
  if (row.find(settings.only) == std::string::npos) return;
  make_corpus(row, images, make_seed(kind));
  const Summary triage = run_triage(row, settings.rounds);
  const Summary qemu = run_qemu_img(row, images);
  table.record(row, "cowvet triage", triage);
  table.record(row, "qemu-img check, scaled", qemu);
  table.line({fmt::format("{} {}", images, kind.what), milliseconds(triage), images_a_second(triage, images),
              mebibytes(triage), milliseconds(qemu), images_a_second(qemu, images), ratio(qemu, triage)});
  fs::remove_all(row);
}

}  // namespace

void measure_triage(const Settings& settings) {
  Table table(fmt::format("Many small images; qemu-img check scaled from {} of them", kSample),
              {"images", "triage, ms", "a second", "MiB", "qemu-img, ms", "a second", "times"});
  for (const Kind& kind : kinds())
    for (const unsigned images : kind.images) measure_kind(table, kind, images, settings);
  fs::remove("seed.qcow2");
}

}  // namespace cowvet::bench
