#include "checker/triage/image_source.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "tests/support/temporary_directory.h"

namespace cowvet {
namespace {

namespace fs = std::filesystem;

class CorpusWalking : public testing::Test {
 protected:
  void touch(const std::string& name) {
    fs::create_directories(fs::path(directory_.file(name)).parent_path());
    std::ofstream(directory_.file(name)).put('x');
  }

  // Names below the directory, in order; "twice" where a name came twice.
  std::set<std::string> walk(const std::vector<std::string>& names, Shard shard = {}) {
    std::vector<std::string> paths;
    for (const auto& name : names) paths.push_back(directory_.file(name));
    CorpusWalk corpus(paths, shard, [&](const std::string& message) { complaints_.push_back(message); });
    std::set<std::string> found;
    while (const auto path = corpus.next())
      if (!found.insert(fs::relative(*path, directory_.path())).second) found.insert("twice");
    return found;
  }

  TemporaryDirectory directory_;
  std::vector<std::string> complaints_;
};

using Names = std::set<std::string>;

TEST_F(CorpusWalking, finds_regular_files_at_any_depth) {
  for (const auto* name : {"c/a", "c/d/e/f/b", "c/d/g", "other"}) touch(name);
  fs::create_directory(directory_.file("c/empty"));
  EXPECT_EQ(walk({"c"}), (Names{"c/a", "c/d/e/f/b", "c/d/g"}));
  EXPECT_EQ(walk({"c/", "other"}), (Names{"c/a", "c/d/e/f/b", "c/d/g", "other"}));
  EXPECT_TRUE(complaints_.empty());
}

TEST_F(CorpusWalking, takes_what_was_named_even_if_it_is_not_there) {
  EXPECT_EQ(walk({"missing"}), Names{"missing"});
}

TEST_F(CorpusWalking, follows_no_links_and_opens_no_pipes) {
  touch("outside/a");
  touch("c/b");
  fs::create_directory_symlink(directory_.file("outside"), directory_.file("c/link"));
  fs::create_symlink(directory_.file("outside/a"), directory_.file("c/file-link"));
  fs::create_directory_symlink(directory_.file("c"), directory_.file("c/loop"));
  ASSERT_EQ(mkfifo(directory_.file("c/pipe").c_str(), 0600), 0);
  EXPECT_EQ(walk({"c"}), Names{"c/b"});
}

TEST_F(CorpusWalking, goes_on_behind_a_directory_that_it_cannot_read) {
  touch("c/a/1");
  touch("c/b/1");
  touch("c/z");
  // A name too long to be opened by its path: the same for root.
  fs::path deep = directory_.file("c/b");
  std::error_code error;
  const fs::path back = fs::current_path();
  fs::current_path(deep);
  for (int level = 0; level < 20; ++level) {
    fs::create_directory(std::string(250, 'd'));
    fs::current_path(std::string(250, 'd'));
  }
  fs::current_path(back);
  EXPECT_EQ(walk({"c"}), (Names{"c/a/1", "c/b/1", "c/z"}));
  ASSERT_EQ(complaints_.size(), 1u);
  EXPECT_NE(complaints_[0].find("not all of it was looked at"), std::string::npos);
}

TEST_F(CorpusWalking, gives_every_image_to_exactly_one_shard) {
  Names all;
  for (int number = 0; number < 200; ++number) {
    const std::string name = fmt::format("c/{}/{}", number % 7, number);
    touch(name);
    all.insert(name);
  }
  for (const std::uint64_t count : {1u, 2u, 7u}) {
    Names joined;
    for (std::uint64_t index = 1; index <= count; ++index)
      for (const auto& name : walk({"c"}, {index, count})) EXPECT_TRUE(joined.insert(name).second) << name;
    EXPECT_EQ(joined, all);
    EXPECT_LT(walk({"c"}, {1, count}).size(), count == 1 ? 201u : 130u);
  }
}

TEST_F(CorpusWalking, shards_the_same_where_the_corpus_is_mounted_elsewhere) {
  for (int number = 0; number < 50; ++number) {
    touch(fmt::format("here/{}", number));
    touch(fmt::format("mounted/there/{}", number));
  }
  Names here;
  Names there;
  for (const auto& name : walk({"here"}, {1, 3})) here.insert(fs::path(name).filename());
  for (const auto& name : walk({"mounted/there/"}, {1, 3})) there.insert(fs::path(name).filename());
  EXPECT_EQ(here, there);
  EXPECT_FALSE(here.empty());
}

TEST(ParseShard, takes_k_of_n_and_nothing_else) {
  const auto shard = parse_shard("2/16");
  ASSERT_TRUE(shard);
  EXPECT_EQ(shard->index, 2u);
  EXPECT_EQ(shard->count, 16u);
  for (const auto* text : {"", "1", "/", "1/", "/1", "0/4", "5/4", "1/0", "-1/4", "1/4x", "1 /4", "a/b"})
    EXPECT_FALSE(parse_shard(text)) << text;
}

}  // namespace
}  // namespace cowvet
