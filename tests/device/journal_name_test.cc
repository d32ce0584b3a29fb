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

}  // namespace
}  // namespace cowvet
