#include "checker/device/journal_name.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/temporary_directory.h"

namespace cowvet {
namespace {

TEST(UnfinishedJournal, lies_beside_the_image_itself) {
  const TemporaryDirectory directory;
  const std::string image = directory.file("image");
  std::ofstream(image).put('x');
  std::filesystem::create_directory(directory.file("links"));
  const std::string link = directory.file("links/link");
  std::filesystem::create_symlink(image, link);
  EXPECT_FALSE(has_unfinished_journal(image));
  EXPECT_FALSE(has_unfinished_journal(link));

  std::ofstream(link + ".cowvet-journal").put('x');  // of no image
  EXPECT_FALSE(has_unfinished_journal(link));
  std::ofstream(image + ".cowvet-journal").put('x');
  EXPECT_TRUE(has_unfinished_journal(image));
  EXPECT_TRUE(has_unfinished_journal(link));
}

TEST(UnfinishedJournal, may_be_a_file_that_says_where_it_is) {
  const TemporaryDirectory directory;
  const std::string image = directory.file("image");
  const std::string beside = journal_path_of(image);
  EXPECT_EQ(journal_elsewhere(image), std::nullopt);
  std::ofstream(beside) << encode_journal_pointer(directory.file("else where"));
  EXPECT_EQ(journal_elsewhere(image), directory.file("else where"));
  EXPECT_EQ(unfinished_journal_of(image), directory.file("else where"));
  EXPECT_TRUE(has_unfinished_journal(image));
  for (const std::string text : {"", "a journal", "cowvet-journal-at ", "cowvet-journal-at /cut/sho"}) {
    std::ofstream(beside, std::ios::trunc) << text;
    EXPECT_EQ(journal_elsewhere(image), std::nullopt) << text;
    EXPECT_EQ(unfinished_journal_of(image), beside);
  }
  std::filesystem::remove(beside);
  std::filesystem::create_directory(beside);
  EXPECT_EQ(journal_elsewhere(image), std::nullopt);
}

}  // namespace
}  // namespace cowvet
