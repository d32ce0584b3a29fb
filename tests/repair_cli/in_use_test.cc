// Somebody else has the image or its data file open: refused, and nothing is written.
#include "tests/repair_cli/repair_cli_test_base.h"
#include "tests/support/background_command.h"

namespace cowvet {
namespace {

using testing::HasSubstr;
using testing::Not;

using InUse = RepairCliTest;

TEST_F(InUse, by_a_writer_is_refused_and_names_the_byte_and_the_holder) {
  make_leak("a.qcow2");
  const std::string before = content("a.qcow2");
  BackgroundCommand guest("exec qemu-io a.qcow2", directory_.path());
  ASSERT_TRUE(guest.ask("read 0 512", "read 512/512"));
  for (const char* options : {"--yes", "--undo", "--resume", "--rollback", "--yes --leaks-only", "--dry-run",
                              "--yes --output new"}) {
    const CommandResult result = repair(std::string(options) + " a.qcow2");
    EXPECT_EQ(result.status, 64) << options;
    EXPECT_THAT(result.err, HasSubstr("in use")) << options;
    EXPECT_THAT(result.err, HasSubstr("lock byte ")) << options;
    EXPECT_THAT(result.err, Not(HasSubstr("-U"))) << options;
    EXPECT_THAT(result.err, HasSubstr("qemu-io")) << options;
  }
  EXPECT_TRUE(content("a.qcow2") == before);
  EXPECT_EQ(names(), "a.qcow2");
}

TEST_F(InUse, by_a_reader_is_refused_for_a_repair_and_shows_its_plan) {
  make_leak("a.qcow2");
  const std::string before = content("a.qcow2");
  BackgroundCommand reader("exec qemu-io -r a.qcow2", directory_.path());
  ASSERT_TRUE(reader.ask("read 0 512", "read 512/512"));
  EXPECT_EQ(repair("--yes a.qcow2").status, 64);
  EXPECT_EQ(repair("--dry-run a.qcow2").status, 3);
  EXPECT_TRUE(content("a.qcow2") == before);
  EXPECT_EQ(names(), "a.qcow2");
  // The image itself is only read for a copy.
  EXPECT_EQ(repair("--yes --output new a.qcow2").status, 0);
  EXPECT_TRUE(content("a.qcow2") == before);
}

TEST_F(InUse, of_the_data_file_is_refused_too) {
  prepare(
      "qemu-img create -q -f qcow2 -o data_file=data,data_file_raw=on a.qcow2 1M && "
      "qemu-io -c 'write -P 7 0 1M' a.qcow2 && truncate -s 1000k data");
  const std::string before = content("a.qcow2");
  BackgroundCommand guest("exec qemu-io -f raw data", directory_.path());
  ASSERT_TRUE(guest.ask("read 0 512", "read 512/512"));
  const CommandResult result = repair("--yes a.qcow2");
  EXPECT_EQ(result.status, 64) << result.out;
  EXPECT_THAT(result.err, HasSubstr("data: in use"));
  EXPECT_TRUE(content("a.qcow2") == before);
  EXPECT_EQ(content("data").size(), 1000u << 10);
  EXPECT_EQ(names(), "a.qcow2 data");
}

}  // namespace
}  // namespace cowvet
