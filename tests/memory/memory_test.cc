// What a repair holds in memory follows what is referenced, not how many bytes it writes: counted, not timed.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "checker/device/file_device.h"
#include "checker/planning/plan_file.h"
#include "checker/planning/planner.h"
#include "checker/planning/rehearsal.h"
#include "fuzz/count_allocations.h"
#include "repair/directory_storage.h"
#include "repair/file_writable_device.h"
#include "repair/undo.h"
#include "tests/support/run_command.h"
#include "tests/support/temporary_directory.h"

namespace cowvet {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

class Memory : public testing::Test {
 protected:
  // 8 bytes for each cluster of 64 KiB are lost, and the table that names them.
  void make_image_without_refcounts(std::uint64_t size_gib) const {
    const std::string script = fmt::format(
        "rm -f image*\n"
        "qemu-img create -q -f qcow2 -o preallocation=metadata,refcount_bits=64 image {}G\n"
        "table=$((0x$(od -A n -t x1 -j 48 -N 8 image | tr -d ' ') / 65536))\n"
        "for block in $(od -A n -v -t x8 --endian=big -w8 -j $((table * 65536)) -N $((8 * 8192)) image |\n"
        "               grep -v '0000000000000000'); do\n"
        "  dd if=/dev/zero of=image bs=64k seek=$((0x$block / 65536)) count=1 conv=notrunc status=none\n"
        "done\n"
        "dd if=/dev/zero of=image bs=64k seek=$table count=1 conv=notrunc status=none\n",
        size_gib);
    const CommandResult made = run_script(script, directory_.path());
    ASSERT_EQ(made.status, 0) << made.err;
  }

  // Plan, text of the plan, rehearsal of what is read from it, repair and undo. The most bytes allocated at
  // once.
  std::size_t most_bytes_of_a_repair() {
    fuzz::begin_counting();
    auto image = FileWritableDevice::open(path_);
    EXPECT_TRUE(image);
    const Inputs inputs{**image, {}, {}};
    Plan plan = make_plan(inputs, {.threads = 1}).value();
    written_bytes_ = 0;
    for (const Step& step : plan.steps)
      for (const Write& write : step.writes) written_bytes_ += write.new_bytes.size();
    {
      std::ofstream text(directory_.file("plan"));
      write_plan(plan, text);
    }
    std::ifstream text(directory_.file("plan"));
    plan = read_plan(text).value();
    Progress unseen;
    EXPECT_EQ(rehearse(inputs, plan, {.threads = 1}, unseen).refusal, "");
    const RepairFiles files{**image};
    DirectoryStorage storage(path_ + ".journal", path_ + ".undo");
    EXPECT_EQ(Transaction(files, storage, {}).run(make_changes(plan, files, "").value()).state,
              RepairResult::State::done);
    journal_bytes_ = std::filesystem::file_size(path_ + ".undo");
    EXPECT_EQ(undo(files, storage, {}).state, RepairResult::State::done);
    return fuzz::most_bytes_counted();
  }

  TemporaryDirectory directory_;
  std::string path_ = directory_.file("image");
  std::uint64_t written_bytes_ = 0;
  std::uint64_t journal_bytes_ = 0;
};

TEST_F(Memory, of_a_rebuild_of_all_refcounts_does_not_grow_with_what_is_written) {
  make_image_without_refcounts(4);
  const std::size_t small = most_bytes_of_a_repair();
  make_image_without_refcounts(128);
  const std::size_t large = most_bytes_of_a_repair();
  EXPECT_GT(written_bytes_, 16 * kMiB);
  EXPECT_GT(journal_bytes_, 32 * kMiB);
  // Sets of references take some bits a cluster.
  EXPECT_LT(large, small + 3 * kMiB);
  RecordProperty("most_bytes", static_cast<int>(large));
}

}  // namespace
}  // namespace cowvet
