// cowvet-repair --discard: free clusters give their space back, and no others.
#include "tests/repair_cli/repair_cli_test_base.h"

namespace cowvet {
namespace {

using testing::HasSubstr;

class Discard : public RepairCliTest {
 protected:
  long kilobytes(const std::string& name) const { return std::stol(shell("du -k " + name).out); }
  // 1 MiB of 4 MiB of data that nothing maps any more.
  void make_leaks(const std::string& name) const {
    prepare("qemu-img create -q -f qcow2 " + name + " 64M && qemu-io -c 'write -P 7 0 4M' " + name);
    for (std::uint64_t i = 48; i < 64; ++i) poke(name, l2_offset(name) + 8 * i, std::uint64_t{0});
  }
};

TEST_F(Discard, gives_back_what_leaked_and_keeps_what_the_guest_reads) {
  make_leaks("a.qcow2");
  const long before = kilobytes("a.qcow2");
  const CommandResult result = repair("--yes --no-undo --discard a.qcow2");
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("The space of its free clusters (1 MiB) was given back."));
  EXPECT_LE(kilobytes("a.qcow2"), before - 1024);
  EXPECT_EQ(cowvet("check -q a.qcow2").status, 0);
  EXPECT_EQ(shell("qemu-io -c 'read -P 7 0 3M' -c 'read -P 0 3M 1M' a.qcow2").status, 0);
  EXPECT_EQ(names(), "a.qcow2");
}

TEST_F(Discard, of_a_copy_leaves_the_image_as_it_is) {
  make_leaks("a.qcow2");
  const std::string before = content("a.qcow2");
  EXPECT_EQ(repair("-q --yes --discard --output new a.qcow2").status, 0);
  EXPECT_TRUE(content("a.qcow2") == before);
  EXPECT_LE(kilobytes("new"), kilobytes("a.qcow2") - 1024);
  EXPECT_EQ(shell("qemu-io -c 'read -P 7 0 3M' new").status, 0);
}

TEST_F(Discard, is_left_out_where_damage_is_left) {
  make_leaks("a.qcow2");
  poke("a.qcow2", l2_offset("a.qcow2"), peek("a.qcow2", l2_offset("a.qcow2")) & 0x7fffffffffffffff);
  const long before = kilobytes("a.qcow2");
  const CommandResult result = repair("--yes --no-undo --discard --leaks-only a.qcow2");
  EXPECT_EQ(result.status, 2) << result.out;
  EXPECT_THAT(result.err, HasSubstr("not discarded"));
  EXPECT_GE(kilobytes("a.qcow2"), before);
}

TEST_F(Discard, is_nothing_that_happens_unasked_or_to_a_sound_image) {
  make_leaks("a.qcow2");
  const long before = kilobytes("a.qcow2");
  EXPECT_EQ(repair("-q --yes --no-undo a.qcow2").status, 0);
  const std::string sound = content("a.qcow2");
  EXPECT_EQ(repair("-q --yes --no-undo --discard a.qcow2").status, 0);
  EXPECT_TRUE(content("a.qcow2") == sound);
  EXPECT_GE(kilobytes("a.qcow2"), before);
}

}  // namespace
}  // namespace cowvet
