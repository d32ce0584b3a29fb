#include "tests/bench/rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <stdexcept>

#include "tests/bench/measure.h"
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

// Snapshots share what they do not change: each changes one L2 table in twenty of its disk.
Row with_snapshots(unsigned count) {
  return {fmt::format("snapshots-{}", count),
          fmt::format("10 GiB, {} snapshot{} that share 95 %", count, count == 1 ? "" : "s"),
          "grows with distinct tables only", false,
          by_shell(fmt::format(R"sh(
qemu-img create -q -f qcow2 -o preallocation=metadata "$1" 10G
for i in $(seq {}); do
  qemu-img snapshot -c "snapshot-$i" "$1"
  qemu-io -t unsafe -c "write -q $((i % 20 * 512))M 64k" "$1"
done)sh",
                               count))};
}

Row ordered(unsigned tebibytes, std::string target) {
  return {
      fmt::format("ordered-{}T", tebibytes), fmt::format("{} TiB, allocated in order", tebibytes),
      std::move(target), false,
      by_shell(fmt::format("qemu-img create -q -f qcow2 -o preallocation=metadata \"$1\" {}T", tebibytes))};
}

}  // namespace

std::vector<Row> target_rows() {
  const std::string create = "qemu-img create -q -f qcow2 -o preallocation=metadata";
  return {
      {"small-64M", "64 MiB, whole process", "2.5 ms", false, by_shell(create + R"( "$1" 64M)")},
      ordered(1, "15 times, 24 MiB, 1.5 times the floor"),
      ordered(8, "15 times, 80 MiB, 1.5 times the floor"),
      {"scattered-64G", "64 GiB, every cluster at a random place", "1000 times", true, scattered(64 * kGiB)},
      {"scattered-256G", "256 GiB, every cluster at a random place", "1000 times", true,
       scattered(256 * kGiB)},
      {"data-file-4T", "external data file, 4 TiB", "12 times, 24 MiB", false,
       by_shell(create + R"(,data_file="$1.data" "$1" 4T)")},
      with_snapshots(100),
      {"many-clusters-130T", "130 TiB, more than INT_MAX clusters", "works", false,
       by_shell(R"sh(qemu-img create -q -f qcow2 "$1" 130T
qemu-io -t unsafe -c "write -q 0 1M" -c "write -q 64T 1M" -c "write -q 129T 1M" "$1")sh")},
  };
}

std::vector<Row> growth_rows() {
  return {ordered(1, ""), ordered(2, ""), ordered(4, ""), ordered(8, ""), ordered(16, "")};
}

std::vector<Row> snapshot_rows() {
  return {with_snapshots(1), with_snapshots(10), with_snapshots(100)};
}

const Row& find_row(const std::string& name) {
  static const std::vector<Row> all = [] {
    std::vector<Row> rows = target_rows();
    for (const auto& more : {growth_rows(), snapshot_rows()})
      rows.insert(rows.end(), more.begin(), more.end());
    return rows;
  }();
  const auto found = std::ranges::find(all, name, &Row::name);
  if (found == all.end()) throw std::runtime_error("there is no row " + name);
  return *found;
}

// In a process of its own: what a maker holds in memory would count as the peak of every program run later.
std::string make_image(const Row& row) {
  std::string image = row.name + ".qcow2";
  if (!std::filesystem::exists(image) && run({"/proc/self/exe", "--make", row.name, image}).status != 0)
    throw std::runtime_error("cannot make " + image);
  return image;
}

void remove_image(const Row& row) {
  std::filesystem::remove(row.name + ".qcow2");
  std::filesystem::remove(row.name + ".qcow2.data");
}

}  // namespace cowvet::bench
