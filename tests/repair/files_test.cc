// Repairs of real files: the devices, the journal in its directory, the locks.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "repair/directory_storage.h"
#include "repair/file_writable_device.h"
#include "repair/recovery.h"
#include "repair/repair_locks.h"
#include "repair/undo.h"
#include "tests/repair/repairs.h"
#include "tests/support/run_command.h"
#include "tests/support/temporary_directory.h"

namespace cowvet {
namespace {

using State = RepairResult::State;

void write_file(const std::string& path, const Bytes& bytes) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

Bytes read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

class Files : public testing::Test {
 protected:
  void SetUp() override {
    repair_ = hand_made_repair("header and body");
    old_ = repair_.machine.content(Machine::kImage).all();
    write_file(path_, old_);
    repair_.plan.image.identity.reset();
  }

  TemporaryDirectory directory_;
  std::string path_ = directory_.path() / "image";
  DirectoryStorage storage_{path_ + ".cowvet-journal", path_ + ".cowvet-undo"};
  HandMadeRepair repair_;
  Bytes old_;
};

TEST_F(Files, are_repaired_and_given_back) {
  auto image = FileWritableDevice::open(path_);
  ASSERT_TRUE(image) << image.error().message;
  const RepairFiles files{**image};
  auto changes = make_changes(repair_.plan, files, "");
  ASSERT_TRUE(changes) << changes.error();
  const RepairResult result = Transaction(files, storage_, {}).run(std::move(*changes));
  ASSERT_EQ(result.state, State::done) << result.message;
  const Bytes repaired = read_file(path_);
  EXPECT_FALSE(repaired == old_);
  EXPECT_EQ(repaired.size(), repair_.plan.image_bytes_after);
  EXPECT_TRUE(std::filesystem::exists(path_ + ".cowvet-undo"));
  EXPECT_FALSE(std::filesystem::exists(path_ + ".cowvet-journal"));
  EXPECT_FALSE(recover(files, storage_, {}));

  const RepairResult undone = undo(files, storage_, {});
  ASSERT_EQ(undone.state, State::done) << undone.message;
  EXPECT_TRUE(read_file(path_) == old_);
  EXPECT_EQ(undo(files, storage_, {}).state, State::done);
  EXPECT_TRUE(read_file(path_) == repaired);
}

TEST_F(Files, show_what_is_written_into_a_hole) {
  std::filesystem::resize_file(path_, 64 << 20);
  auto image = FileWritableDevice::open(path_);
  ASSERT_TRUE(image) << image.error().message;
  constexpr std::uint64_t kInside = 32 << 20;
  EXPECT_GT((*image)->next_data(kInside).begin, kInside);
  ASSERT_TRUE((*image)->write(kInside, Bytes(4096, std::byte{1})));
  EXPECT_LE((*image)->next_data(kInside).begin, kInside);
  EXPECT_LE((*image)->next_data(kInside - 4096).begin, kInside);
}

TEST_F(Files, are_refused_for_writing_by_qemu_while_a_repair_is_under_way) {
  auto image = FileWritableDevice::open(path_);
  const RepairFiles files{**image};
  CommandResult qemu;
  const TransactionOptions options{.check = [&](const Device&, const Device*, const std::string&) {
    // Our locks are not what this is about, and this test takes none.
    qemu = run_script("qemu-io -f qcow2 -c 'write 0 512' " + shell_quote(path_) + " 2>&1");
    return std::expected<void, std::string>(std::unexpected("enough"));
  }};
  const RepairResult result =
      Transaction(files, storage_, options).run(make_changes(repair_.plan, files, "").value());
  EXPECT_EQ(result.state, State::rolled_back);
  EXPECT_NE(qemu.status, 0);
  EXPECT_NE((qemu.out + qemu.err).find("corrupt"), std::string::npos) << qemu.out << qemu.err;
  EXPECT_TRUE(read_file(path_) == old_);
  EXPECT_FALSE(std::filesystem::exists(path_ + ".cowvet-journal"));
}

TEST_F(Files, stay_as_they_were_when_there_is_no_space_to_grow) {
  struct rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const auto ignored = std::signal(SIGXFSZ, SIG_IGN);
  auto image = FileWritableDevice::open(path_);
  const RepairFiles files{**image};
  Changes changes = make_changes(repair_.plan, files, "").value();
  // The journal is as long as the image, or longer: the limit meets whichever comes first.
  for (rlim_t limit = 0; limit < 100'000; limit += 1'700) {
    const struct rlimit low{limit, before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &low);
    const RepairResult result = Transaction(files, storage_, {}).run(changes);
    setrlimit(RLIMIT_FSIZE, &before);
    if (result.state == State::done) break;
    EXPECT_TRUE(result.state == State::unchanged || result.state == State::rolled_back) << result.message;
    EXPECT_NE(result.message.find("File too large"), std::string::npos) << result.message;
    EXPECT_TRUE(read_file(path_) == old_) << limit;
    EXPECT_FALSE(std::filesystem::exists(path_ + ".cowvet-journal"));
  }
  std::signal(SIGXFSZ, ignored);
}

TEST_F(Files, are_locked_against_every_other_user) {
  auto image = FileWritableDevice::open(path_);
  ASSERT_TRUE(take_locks((*image)->descriptor(), kRepairLocks));
  auto other = FileWritableDevice::open(path_);
  EXPECT_FALSE(take_locks((*other)->descriptor(), kRepairLocks));
  EXPECT_FALSE(take_locks((*other)->descriptor(), kImageCheckLocks));
  const CommandResult qemu = run_script("qemu-img check " + shell_quote(path_) + " 2>&1");
  EXPECT_NE(qemu.status, 0);
  EXPECT_NE((qemu.out + qemu.err).find("lock"), std::string::npos) << qemu.out;
  ASSERT_TRUE((*image)->resize(old_.size() + 512));  // growing does not let go of them
  EXPECT_FALSE(take_locks((*other)->descriptor(), kRepairLocks));
}

TEST_F(Files, with_a_symbolic_link_for_a_journal_are_not_repaired) {
  std::filesystem::create_symlink("elsewhere", path_ + ".cowvet-journal");
  auto image = FileWritableDevice::open(path_);
  const RepairFiles files{**image};
  EXPECT_EQ(Transaction(files, storage_, {}).run(make_changes(repair_.plan, files, "").value()).state,
            State::unchanged);
  EXPECT_EQ(recover(files, storage_, {})->state, State::unchanged);
  EXPECT_FALSE(std::filesystem::exists(directory_.path() / "elsewhere"));
}

}  // namespace
}  // namespace cowvet
