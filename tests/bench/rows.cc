#include "tests/bench/rows.h"

#include <fmt/format.h>

#include <cstdlib>
#include <stdexcept>

#include "tests/bench/scattered_image.h"

namespace cowvet::bench {
namespace {

constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;

using Path = std::filesystem::path;

// By sh, with the image as $1.
void shell(const std::string& script, const Path& image) {
  const std::string command = fmt::format("set -e -- '{}'\n{}", image.string(), script);
  if (std::system(command.c_str()) != 0) throw std::runtime_error("cannot make an image: " + script);
}

auto by_shell(const std::string& script) {
  return [script](const Path& image) { shell(script, image); };
}

auto scattered(std::uint64_t bytes) {
  return [bytes](const Path& image) { write_scattered_image(image, bytes); };
}

// Snapshots share what they do not change: each of the hundred changes one L2 table in twenty of its disk.
constexpr const char* kHundredSnapshots = R"sh(
qemu-img create -q -f qcow2 -o preallocation=metadata "$1" 10G
for i in $(seq 100); do
  qemu-img snapshot -c "snapshot-$i" "$1"
  qemu-io -t unsafe -c "write -q $((i % 20 * 512))M 64k" "$1"
done)sh";

}  // namespace

std::vector<Row> rows() {
  const std::string create = "qemu-img create -q -f qcow2 -o preallocation=metadata";
  return {
      {"small-64M", "64 MiB, whole process", "2.5 ms", false, by_shell(create + R"( "$1" 64M)")},
      {"ordered-1T", "1 TiB, allocated in order", "15 times, 24 MiB, 1.5 times the floor", false,
       by_shell(create + R"( "$1" 1T)")},
      {"ordered-8T", "8 TiB, allocated in order", "15 times, 80 MiB, 1.5 times the floor", false,
       by_shell(create + R"( "$1" 8T)")},
      {"scattered-64G", "64 GiB, every cluster at a random place", "1000 times", true, scattered(64 * kGiB)},
      {"scattered-256G", "256 GiB, every cluster at a random place", "1000 times", true,
       scattered(256 * kGiB)},
      {"data-file-4T", "external data file, 4 TiB", "12 times, 24 MiB", false,
       by_shell(create + R"(,data_file="$1.data" "$1" 4T)")},
      {"snapshots-100", "10 GiB, 100 snapshots that share 95 %", "grows with distinct tables only", false,
       by_shell(kHundredSnapshots)},
      {"many-clusters-130T", "130 TiB, more than INT_MAX clusters", "works", false,
       by_shell(R"sh(qemu-img create -q -f qcow2 "$1" 130T
qemu-io -t unsafe -c "write -q 0 1M" -c "write -q 64T 1M" -c "write -q 129T 1M" "$1")sh")},
  };
}

}  // namespace cowvet::bench
