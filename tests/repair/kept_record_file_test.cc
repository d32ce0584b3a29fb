#include "repair/kept_record_file.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "checker/planning/kept_record.h"
#include "tests/support/temporary_directory.h"

namespace cowvet {
namespace {

const std::vector<KeptRun> kRuns{{65536, 65536, 1}, {262144, 131072, 2}};

TEST(KeptRecordFile, is_replaced_as_a_whole_and_goes_with_its_last_run) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("record");
  ASSERT_TRUE(write_kept_record(path, kRuns));
  EXPECT_EQ(read_kept_record(path), kRuns);
  ASSERT_TRUE(write_kept_record(path, {kRuns[1]}));
  EXPECT_EQ(read_kept_record(path), std::vector<KeptRun>{kRuns[1]});
  ASSERT_TRUE(write_kept_record(path, {}));
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_TRUE(write_kept_record(path, {}));
}

TEST(KeptRecordFile, is_not_hindered_by_what_a_killed_run_left) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("record");
  std::ofstream(path + ".new") << "half of a reco";
  ASSERT_TRUE(write_kept_record(path, kRuns));
  EXPECT_EQ(read_kept_record(path), kRuns);
  EXPECT_FALSE(std::filesystem::exists(path + ".new"));
}

TEST(KeptRecordFile, stays_as_it_was_where_it_cannot_be_written) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("record");
  ASSERT_TRUE(write_kept_record(path, kRuns));
  std::filesystem::create_directory(path + ".new");
  std::ofstream(path + ".new/in the way").put('x');
  EXPECT_FALSE(write_kept_record(path, {kRuns[0]}));
  EXPECT_EQ(read_kept_record(path), kRuns);
  EXPECT_FALSE(write_kept_record(directory.file("missing/record"), kRuns));
}

}  // namespace
}  // namespace cowvet
