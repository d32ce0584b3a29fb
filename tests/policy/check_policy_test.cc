// `cowvet check --policy` on images that QEMU made, changed by a few bytes where QEMU would not make them.
#include <gmock/gmock.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "checker/catalogue/catalogue.h"
#include "tests/cli/cli_test_base.h"
#include "tests/support/background_command.h"

namespace cowvet {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

class CheckPolicy : public CliTest {
 protected:
  // The rules of the policy that fired.
  std::vector<std::string> refusals(const std::string& arguments, int status) const {
    const CommandResult result = cowvet("check --output json " + arguments);
    EXPECT_EQ(result.status, status) << arguments << result.out << result.err;
    std::vector<std::string> rules;
    const json report = json::parse(result.out);
    for (const json& finding : report.at("findings"))
      if (const std::string id = finding.at("rule"); id.starts_with("policy/")) rules.push_back(id);
    return rules;
  }
  void expect_refused(const std::string& arguments, const char* id) const {
    EXPECT_THAT(refusals(arguments, 2), AllOf(Contains(id), Each(StartsWith(id)))) << arguments;
  }
  void expect_sound(const std::string& arguments) const {
    EXPECT_THAT(refusals(arguments, 0), IsEmpty()) << arguments;
  }
  void write_policy(const std::string& lines) const { prepare("cat >policy <<END\n" + lines + "\nEND\n"); }
  std::string here() const { return directory_.path().string(); }
  void set_bits(const std::string& name, std::uint64_t offset, std::uint64_t bits) const {
    poke(name, offset, peek(name, offset) | bits);
  }
};

TEST_F(CheckPolicy, lets_a_plain_image_boot) {
  make_image("a.qcow2");
  expect_sound("--policy preboot a.qcow2");
  EXPECT_THAT(cowvet("check --policy preboot a.qcow2").out, StartsWith("a.qcow2 is sound"));
}

TEST_F(CheckPolicy, still_finds_damage) {
  make_corrupt("a.qcow2");
  const CommandResult result = cowvet("check --policy preboot a.qcow2");
  EXPECT_EQ(result.status, 2);
  EXPECT_THAT(result.out, StartsWith("a.qcow2 is corrupt"));
}

TEST_F(CheckPolicy, refuses_what_is_not_qcow2) {
  prepare("qemu-img create -q -f raw a.raw 1M");
  EXPECT_THAT(refusals("--policy preboot a.raw", 1), Contains("policy/not-qcow2"));
}

TEST_F(CheckPolicy, refuses_what_is_another_format_too) {
  make_image("iso.qcow2");
  poke("iso.qcow2", 0x8001, std::uint32_t{0x43443030});
  expect_sound("--policy preboot iso.qcow2");
  poke("iso.qcow2", 0x8001, std::uint64_t{0x4344303031010000});  // "CD001"
  expect_refused("--policy preboot iso.qcow2", "policy/not-qcow2");

  make_image("vhd.qcow2");
  prepare(
      "truncate -s $(($(stat -c %s vhd.qcow2) / 65536 * 65536)) vhd.qcow2; "
      "printf conectix | dd of=vhd.qcow2 bs=1 conv=notrunc status=none seek=$(($(stat -c %s vhd.qcow2) - "
      "512))");
  EXPECT_THAT(refusals("--policy preboot vhd.qcow2", 2), Contains("policy/not-qcow2"));

  make_image("luks.qcow2");
  poke("luks.qcow2", 0x4000, std::uint64_t{0x534b554cbabe0002});  // "SKUL", of another place
  expect_sound("--policy preboot luks.qcow2");
  poke("luks.qcow2", 0x4000 + 256, std::uint64_t{0x4000});
  expect_refused("--policy preboot luks.qcow2", "policy/not-qcow2");
}

// Each at its place, and one byte beside it.
TEST_F(CheckPolicy, knows_the_other_formats_by_their_places) {
  make_image("a.qcow2");
  prepare("truncate -s $(($(stat -c %s a.qcow2) / 65536 * 65536)) a.qcow2");
  const std::uint64_t end = std::filesystem::file_size(directory_.file("a.qcow2"));
  constexpr std::uint64_t kHead = 0x10000;
  const struct {
    std::string_view name;
    std::vector<std::pair<std::uint64_t, std::string>> parts;
  } kFormats[] = {
      {"ISO 9660", {{0x8001, "CD001"}}},
      {"UDF", {{0x8001, "BEA01"}}},
      {"VHD", {{end - 512, "conectix"}}},
      {"VMDK", {{end - 1024, std::string("KDMV\x03\0\0\0", 8)}}},
      {"VHDX", {{0x30000, "regi"}, {kHead, "head"}}},
      {"LUKS2", {{0x8000, std::string("SKUL\xba\xbe", 6)}, {0x8100, std::string("\0\0\0\0\0\0\x80\0", 8)}}}};
  const auto put = [&](std::uint64_t offset, const std::string& bytes) {
    std::fstream file(directory_.file("b.qcow2"), std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(static_cast<std::streamoff>(offset))
        .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  };
  for (const auto& [name, parts] : kFormats)
    for (const std::uint64_t shift : {0, 1}) {
      prepare("cp a.qcow2 b.qcow2");
      for (const auto& [offset, bytes] : parts) put(offset - shift, bytes);
      const CommandResult result = cowvet("check --policy preboot b.qcow2");
      const std::string says = "it is also " + std::string(name);
      EXPECT_EQ(result.out.find(says) != std::string::npos, shift == 0) << name << result.out;
      if (shift == 0) {
        EXPECT_EQ(result.status, 2) << name;
      }
    }
}

TEST_F(CheckPolicy, refuses_partition_tables_where_it_says_so) {
  make_image("a.qcow2");
  poke("a.qcow2", 510, std::uint16_t{0x55aa});
  poke("a.qcow2", 512, std::uint64_t{0x4546492050415254});
  expect_sound("--policy preboot a.qcow2");
  write_policy("refuse partition-table");
  EXPECT_THAT(refusals("--policy policy a.qcow2", 2), testing::SizeIs(2));
}

TEST_F(CheckPolicy, refuses_backing_files_and_does_not_open_them) {
  prepare("mkfifo pipe; qemu-img create -q -u -f qcow2 -b pipe -F raw a.qcow2 1M");
  expect_refused("--policy preboot a.qcow2", "policy/backing-file");
}

TEST_F(CheckPolicy, walks_the_chain_that_is_allowed) {
  prepare(
      "mkdir bases; qemu-img create -q -f raw bases/0.raw 1M;"
      "qemu-img create -q -f qcow2 -b 0.raw -F raw bases/1.qcow2;"
      "qemu-img create -q -f qcow2 -b bases/1.qcow2 -F qcow2 a.qcow2;"
      "qemu-img create -q -f qcow2 -b $PWD/bases/1.qcow2 -F qcow2 absolute.qcow2");
  write_policy("allow backing-file " + here() + "/bases");
  expect_sound("--policy policy a.qcow2");
  expect_sound("--policy policy absolute.qcow2");
  EXPECT_THAT(cowvet("check --policy policy a.qcow2").out,
              HasSubstr("Backing file: \"bases/1.qcow2\", examined, and what is behind it\n"));
  EXPECT_EQ(
      json::parse(cowvet("check --policy policy --output json a.qcow2").out)["backing-file"]["examined"],
      true);
  EXPECT_THAT(cowvet("check a.qcow2").out, HasSubstr("\"bases/1.qcow2\", not examined"));
  write_policy("allow backing-file " + here() + "/bases\nlimit backing-files 1");
  EXPECT_THAT(refusals("--policy policy a.qcow2", 1), Contains("policy/backing-file"));
}

TEST_F(CheckPolicy, finds_damage_anywhere_in_the_chain) {
  make_corrupt("0.qcow2");
  prepare(
      "qemu-img create -q -u -f qcow2 -b 0.qcow2 -F qcow2 1.qcow2 64M;"
      "qemu-img create -q -u -f qcow2 -b 1.qcow2 -F qcow2 a.qcow2 64M");
  write_policy("allow backing-file " + here());
  expect_refused("--policy policy a.qcow2", "policy/backing-file");
  EXPECT_THAT(cowvet("check --policy policy a.qcow2").out, HasSubstr("guest-data-at-risk"));
}

TEST_F(CheckPolicy, refuses_loops_and_lies_about_formats) {
  prepare(
      "qemu-img create -q -u -f qcow2 -b b.qcow2 -F qcow2 a.qcow2 1M;"
      "qemu-img create -q -u -f qcow2 -b a.qcow2 -F qcow2 b.qcow2 1M;"
      "qemu-img create -q -u -f qcow2 -b b.qcow2 -F raw raw.qcow2 1M;"
      "qemu-img create -q -f raw c.raw 1M;"
      "qemu-img create -q -u -f qcow2 -b c.raw -F qcow2 lie.qcow2 1M");
  write_policy("allow backing-file " + here());
  expect_refused("--policy policy a.qcow2", "policy/backing-file");
  expect_refused("--policy policy raw.qcow2", "policy/backing-file");
  expect_refused("--policy policy lie.qcow2", "policy/not-qcow2");
}

TEST_F(CheckPolicy, refuses_formats_that_are_not_declared_and_images_of_themselves) {
  prepare(
      "qemu-img create -q -f raw c.raw 1M; qemu-img create -q -f vmdk c.vmdk 1M; qemu-img create -q -f qcow2 "
      "c 1M;"
      "qemu-img create -q -u -f qcow2 -b c.vmdk -F vmdk vmdk.qcow2 1M;"
      "qemu-img create -q -u -f qcow2 -b itself.qcow2 -F qcow2 new 1M; mv new itself.qcow2;"
      "qemu-img create -q -u -f qcow2 -b c -F raw lie.qcow2 1M;"
      "qemu-img create -q -u -f qcow2 -b c.raw -F raw silent.qcow2 1M");
  // The extension with the format, of which QEMU makes no image without, becomes one that nobody knows.
  poke("silent.qcow2", 112, peek("silent.qcow2", 112) ^ (std::uint64_t{0x11} << 56));
  write_policy("allow backing-file " + here());
  for (const auto& [name, why] : {std::pair("vmdk.qcow2", "the format 'vmdk' is not allowed"),
                                  {"itself.qcow2", "a loop"},
                                  {"lie.qcow2", "declared raw, but it is a qcow2 image"},
                                  {"silent.qcow2", "no format is declared"}}) {
    expect_refused(std::string("--policy policy ") + name, "policy/backing-file");
    EXPECT_THAT(cowvet(std::string("check --policy policy ") + name).out, HasSubstr(why)) << name;
  }
}

TEST_F(CheckPolicy, compares_the_sizes_in_a_chain) {
  prepare(
      "qemu-img create -q -f raw 2.raw 2M; qemu-img create -q -f qcow2 -b 2.raw -F raw 3.qcow2 3M;"
      "qemu-img create -q -f qcow2 -b 3.qcow2 -F qcow2 larger.qcow2 4M;"
      "qemu-img create -q -f qcow2 -b 3.qcow2 -F qcow2 smaller.qcow2 2M;"
      "qemu-img create -q -f qcow2 -b 2.raw -F raw smallest.qcow2 1M");
  write_policy("allow backing-file " + here());
  expect_sound("--policy policy larger.qcow2");
  EXPECT_THAT(refusals("--policy policy smaller.qcow2", 0), testing::ElementsAre("policy/backing-file"));
  const std::string smaller = cowvet("check --policy policy smaller.qcow2").out;
  EXPECT_THAT(smaller, HasSubstr("smaller.qcow2 is sound"));
  EXPECT_THAT(smaller, HasSubstr("Make sure that it is the backing file that is meant"));
  EXPECT_THAT(smaller, Not(HasSubstr("Do not start")));
  EXPECT_THAT(cowvet("check --policy policy smallest.qcow2").out,
              HasSubstr("2097152 bytes, more than the 1048576 of the image above it"));
}

TEST_F(CheckPolicy, does_not_call_a_backing_file_verified_that_is_written_to) {
  prepare("qemu-img create -q -f raw b.raw 1M; qemu-img create -q -f qcow2 -b b.raw -F raw a.qcow2");
  write_policy("allow backing-file " + here());
  {
    BackgroundCommand reader("exec qemu-io -r -f raw b.raw", directory_.path());
    ASSERT_TRUE(reader.ask("read 0 512", "read 512/512"));
    expect_sound("--policy policy a.qcow2");
  }
  BackgroundCommand guest("exec qemu-io -f raw b.raw", directory_.path());
  ASSERT_TRUE(guest.ask("read 0 512", "read 512/512"));
  EXPECT_THAT(refusals("--policy policy a.qcow2", 1), Contains("policy/backing-file"));
  EXPECT_THAT(cowvet("check --policy policy a.qcow2").out, HasSubstr("in use"));
}

TEST_F(CheckPolicy, follows_no_name_out_of_what_is_allowed) {
  prepare(
      "mkdir bases; qemu-img create -q -f raw secret 1M; ln -s ../secret bases/link;"
      "qemu-img create -q -u -f qcow2 -b bases/link -F raw link.qcow2 1M;"
      "qemu-img create -q -u -f qcow2 -b secret -F raw beside.qcow2 1M;"
      "qemu-img create -q -u -f qcow2 -b bases/../secret -F raw dots.qcow2 1M");
  write_policy("allow backing-file " + here() + "/bases");
  for (const char* name : {"link.qcow2", "beside.qcow2", "dots.qcow2"})
    expect_refused(std::string("--policy policy ") + name, "policy/backing-file");
}

TEST_F(CheckPolicy, takes_a_missing_backing_file_for_not_verified) {
  prepare("qemu-img create -q -u -f qcow2 -b gone -F raw a.qcow2 1M");
  write_policy("allow backing-file " + here());
  EXPECT_THAT(refusals("--policy policy a.qcow2", 1), Contains("policy/backing-file"));
}

TEST_F(CheckPolicy, refuses_unsafe_names) {
  prepare("qemu-img create -q -u -f qcow2 -b 'json:{\"driver\":\"null-co\"}' -F raw a.qcow2 1M");
  EXPECT_THAT(refusals("--policy preboot a.qcow2", 2), Contains("policy/name-unsafe"));
}

TEST_F(CheckPolicy, refuses_data_files_unless_they_are_allowed) {
  prepare(
      "mkdir data; qemu-img create -q -f qcow2 -o data_file=$PWD/data/d.raw a.qcow2 1M;"
      "qemu-img create -q -f qcow2 -o data_file=data/d2.raw relative.qcow2 1M");
  EXPECT_THAT(refusals("--policy preboot a.qcow2", 2), Contains("policy/data-file"));
  write_policy("allow data-file " + here() + "/data");
  expect_sound("--policy policy a.qcow2");
  expect_refused("--policy policy relative.qcow2", "policy/name-unsafe");
  prepare("rm data/d.raw");
  EXPECT_THAT(refusals("--policy policy a.qcow2", 1), Not(IsEmpty()));
}

TEST_F(CheckPolicy, does_not_call_a_data_file_verified_that_is_written_to) {
  prepare("mkdir data; qemu-img create -q -f qcow2 -o data_file=$PWD/data/d.raw a.qcow2 1M");
  write_policy("allow data-file " + here() + "/data");
  BackgroundCommand guest("exec qemu-io -f raw data/d.raw", directory_.path());
  ASSERT_TRUE(guest.ask("read 0 512", "read 512/512"));
  EXPECT_THAT(refusals("--policy policy a.qcow2", 1), Not(IsEmpty()));
  EXPECT_THAT(cowvet("check --policy policy a.qcow2").out,
              testing::AllOf(HasSubstr("in use"), HasSubstr("not verified")));
  expect_sound("--policy policy -U a.qcow2");
}

TEST_F(CheckPolicy, refuses_encryption_snapshots_dirt_and_unknown_features) {
  prepare(
      "qemu-img create -q -f qcow2 a.qcow2 1M; qemu-img snapshot -c s a.qcow2;"
      // QEMU gives up at times, when it finds its key derivation too fast to be timed.
      "for i in $(seq 100); do qemu-img create -q -f qcow2 --object secret,id=k,data=x -o "
      "encrypt.format=luks,encrypt.key-secret=k,encrypt.iter-time=10 luks.qcow2 1M 2>luks.log && break; done;"
      "qemu-img create -q -f qcow2 dirty.qcow2 1M; cp dirty.qcow2 unknown.qcow2; cp dirty.qcow2 aes.qcow2");
  set_bits("dirty.qcow2", 72, 1);
  set_bits("unknown.qcow2", 72, std::uint64_t{1} << 40);
  poke("aes.qcow2", 32, std::uint32_t{1});
  expect_refused("--policy preboot a.qcow2", "policy/snapshot-present");
  expect_refused("--policy preboot luks.qcow2", "policy/encrypted");
  expect_refused("--policy preboot dirty.qcow2", "policy/dirty");
  EXPECT_THAT(refusals("--policy preboot unknown.qcow2", 1), Contains("policy/unknown-feature"));
  write_policy("allow snapshots\nallow encryption\nallow dirty");
  expect_sound("--policy policy a.qcow2");
  expect_sound("--policy policy luks.qcow2");
  expect_sound("--policy policy dirty.qcow2");
  EXPECT_THAT(refusals("--policy policy aes.qcow2", 2), Contains("policy/encrypted"));
}

TEST_F(CheckPolicy, refuses_what_is_larger_than_granted) {
  make_image("a.qcow2");
  write_policy("limit virtual-size 64M\nlimit file-size 2M");
  expect_sound("--policy policy a.qcow2");
  write_policy("limit virtual-size 63M");
  expect_refused("--policy policy a.qcow2", "policy/oversized");
  write_policy("limit file-size 1M");
  expect_refused("--policy policy a.qcow2", "policy/oversized");
}

TEST_F(CheckPolicy, is_an_error_where_it_cannot_be_read) {
  make_image("a.qcow2");
  EXPECT_EQ(cowvet("check --policy gone a.qcow2").status, 1);
  EXPECT_EQ(cowvet("check --policy preboot --follow . a.qcow2").status, 1);
  EXPECT_EQ(cowvet("check --timeout x a.qcow2").status, 1);
}

}  // namespace
}  // namespace cowvet
