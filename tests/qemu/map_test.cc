// cowvet map against qemu-img map, on images that QEMU made: same extents, same flags, same offsets.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/run_command.h"
#include "tests/support/temporary_directory.h"

namespace cowvet {
namespace {

using Json = nlohmann::json;

// What both programs say of an extent. For clusters that decide nothing, QEMU gives the offset of a host
// cluster that other subclusters use.
Json common_part(const Json& extent) {
  Json part;
  for (const char* key : {"start", "length", "depth", "present", "zero", "data"}) part[key] = extent.at(key);
  if (extent.contains("offset") && extent.at("present")) part["offset"] = extent.at("offset");
  return part;
}

bool goes_on(const Json& first, const Json& second) {
  Json expected = first;
  expected["start"] = first.at("start").get<std::uint64_t>() + first.at("length").get<std::uint64_t>();
  expected["length"] = second.at("length");
  if (first.contains("offset"))
    expected["offset"] = first.at("offset").get<std::uint64_t>() + first.at("length").get<std::uint64_t>();
  return expected == second;
}

// The extents with alike neighbours joined, one a line.
std::string joined(const std::string& text) {
  std::vector<Json> extents;
  for (const Json& extent : Json::parse(text)) {
    const Json part = common_part(extent);
    if (!extents.empty() && goes_on(extents.back(), part)) {
      extents.back()["length"] =
          extents.back().at("length").get<std::uint64_t>() + part.at("length").get<std::uint64_t>();
    } else {
      extents.push_back(part);
    }
  }
  std::string lines;
  for (const Json& extent : extents) lines += extent.dump() + "\n";
  return lines;
}

struct Case {
  const char* name;
  const char* script;  // makes top.qcow2
};

class QemuMap : public testing::TestWithParam<Case> {};

TEST_P(QemuMap, says_the_same) {
  const TemporaryDirectory directory;
  const CommandResult made = run_script(std::string("exec 3>&1 >&2\n") + GetParam().script, directory.path());
  ASSERT_EQ(made.status, 0) << made.out << made.err;
  const CommandResult theirs = run_script("qemu-img map --output=json top.qcow2", directory.path());
  ASSERT_EQ(theirs.status, 0) << theirs.err;
  const CommandResult ours =
      run_script(fmt::format("{} map --output json top.qcow2", COWVET_PROGRAM), directory.path());
  EXPECT_EQ(ours.status, 0) << ours.err;
  EXPECT_EQ(ours.err, "");
  EXPECT_EQ(joined(ours.out), joined(theirs.out));
}

constexpr Case kCases[] = {
    {"empty", "qemu-img create -f qcow2 top.qcow2 10M"},
    {"unaligned_end",
     "qemu-img create -f qcow2 top.qcow2 1000448\n"
     "qemu-io -c 'write 960k 16k' top.qcow2"},
    {"data_zeros_and_holes",
     "qemu-img create -f qcow2 top.qcow2 10M\n"
     "qemu-io -c 'write 0 300k' -c 'write -z 128k 64k' -c 'write -z -u 1M 192k' -c 'write 5M 64k' "
     "-c 'write -z 5M 64k' -c 'discard 64k 64k' top.qcow2"},
    {"many_l2_tables",
     "qemu-img create -f qcow2 -o cluster_size=512 top.qcow2 64M\n"
     "qemu-io -c 'write 0 1M' -c 'write 10M 300k' -c 'write -z 20M 1M' -c 'write 63M 1M' top.qcow2"},
    {"written_backwards",
     "qemu-img create -f qcow2 top.qcow2 4M\n"
     "for at in 9 8 7 3 2 1 0; do qemu-io -c \"write $((at * 64))k 64k\" top.qcow2; done"},
    {"subclusters",
     "qemu-img create -f qcow2 -o extended_l2=on top.qcow2 4M\n"
     "qemu-io -c 'write 0 2k' -c 'write 6k 4k' -c 'write -z 20k 2k' -c 'write -z 64k 128k' -c 'write 200k "
     "100k' "
     "-c 'write -z 210k 4k' top.qcow2"},
    {"compressed",
     "yes text | head -c 3000000 > source; truncate -s 8M source\n"
     "qemu-img convert -c -O qcow2 source top.qcow2; qemu-io -c 'write 128k 64k' top.qcow2"},
    {"compressed_by_zstd",
     "yes text | head -c 3000000 > source; truncate -s 8M source\n"
     "qemu-img convert -c -O qcow2 -o compression_type=zstd,cluster_size=4k source top.qcow2"},
    {"version_2",
     "qemu-img create -f qcow2 -o compat=0.10 top.qcow2 4M\n"
     "qemu-io -c 'write 1M 1M' -c 'write -z 1M 64k' top.qcow2"},
    {"data_file",
     "qemu-img create -f qcow2 -o data_file=data top.qcow2 4M\n"
     "qemu-io -c 'write 0 64k' -c 'write 1M 1M' -c 'write -z 1M 64k' -c 'write -z 3M 64k' top.qcow2"},
    {"raw_data_file",
     "qemu-img create -f qcow2 -o data_file=data,data_file_raw=on top.qcow2 4M\n"
     "qemu-io -c 'write 0 64k' -c 'write 1M 1M' -c 'write -z 1M 64k' -c 'discard 3M 64k' top.qcow2"},
    {"data_file_with_subclusters",
     "qemu-img create -f qcow2 -o data_file=data,extended_l2=on top.qcow2 4M\n"
     "qemu-io -c 'write 0 4k' -c 'write 1M 6k' -c 'write -z 1030k 2k' top.qcow2"},
    {"snapshots",
     "qemu-img create -f qcow2 top.qcow2 4M\n"
     "qemu-io -c 'write 0 1M' top.qcow2; qemu-img snapshot -c one top.qcow2; qemu-io -c 'write 64k 64k' "
     "top.qcow2"},
    {"resized",
     "qemu-img create -f qcow2 top.qcow2 4M\n"
     "qemu-io -c 'write 3M 1M' top.qcow2; qemu-img resize top.qcow2 9M; qemu-img resize --shrink top.qcow2 "
     "3500k"},
    {"backing_chain",
     "qemu-img create -f raw base 2M; qemu-io -f raw -c 'write 64k 64k' -c 'write 1M 4k' base\n"
     "qemu-img create -f qcow2 -b base -F raw middle.qcow2 3M\n"
     "qemu-io -c 'write 128k 64k' -c 'write -z 1M 64k' -c 'write -c 2560k 64k' middle.qcow2\n"
     "qemu-img create -f qcow2 -b middle.qcow2 -F qcow2 top.qcow2 4M\n"
     "qemu-io -c 'write 0 64k' -c 'write -z 192k 64k' -c 'write 3M 64k' top.qcow2"},
    {"longer_backing_file",
     "qemu-img create -f qcow2 base.qcow2 9M; qemu-io -c 'write 0 9M' base.qcow2\n"
     "qemu-img create -f qcow2 -b base.qcow2 -F qcow2 top.qcow2 3M; qemu-io -c 'write 64k 64k' top.qcow2"},
    {"subclusters_over_a_backing_file",
     "qemu-img create -f qcow2 base.qcow2 4M; qemu-io -c 'write 0 2M' base.qcow2\n"
     "qemu-img create -f qcow2 -b base.qcow2 -F qcow2 -o extended_l2=on top.qcow2 4M\n"
     "qemu-io -c 'write 8k 2k' -c 'write -z 16k 4k' -c 'write -z 128k 64k' -c 'write 3M 2k' top.qcow2"},
    {"raw_backing_file_in_a_directory",
     "mkdir sub; qemu-img create -f raw sub/base 1M; qemu-io -f raw -c 'write 0 1M' sub/base\n"
     "qemu-img create -f qcow2 -b sub/base -F raw top.qcow2"},
};

INSTANTIATE_TEST_SUITE_P(images, QemuMap, testing::ValuesIn(kCases),
                         [](const auto& param) { return std::string(param.param.name); });

// With preallocated clusters QEMU looks for holes in the file below them; the metadata says data.
TEST(QemuMapPreallocation, is_data_wherever_it_is_allocated) {
  const TemporaryDirectory directory;
  const CommandResult ours = run_script(fmt::format("qemu-img create -q -f qcow2 -o preallocation=metadata "
                                                    "top.qcow2 1G\n{} map --output json top.qcow2",
                                                    COWVET_PROGRAM),
                                        directory.path());
  ASSERT_EQ(ours.status, 0) << ours.err;
  for (const Json& extent : Json::parse(ours.out)) {
    EXPECT_EQ(extent.at("kind"), "data");
    EXPECT_EQ(extent.at("data"), true);
  }
}

}  // namespace
}  // namespace cowvet
