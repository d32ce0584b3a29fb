// `cowvet check --policy` on images that QEMU made, changed by a few bytes where QEMU would not make them.
#include <gmock/gmock.h>

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
