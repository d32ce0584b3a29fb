#include "checker/device/follow.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "tests/support/temporary_directory.h"

namespace cowvet {
namespace {

using State = Companion::State;

// images/a.qcow2 with companions around it.
class Follow : public testing::Test {
 protected:
  Follow() {
    std::filesystem::create_directories(path("images/below"));
    std::filesystem::create_directories(path("elsewhere"));
    for (const char* name : {"images/a.qcow2", "images/data", "images/below/data", "elsewhere/data"})
      std::ofstream(path(name)) << name;
    std::filesystem::create_symlink(path("elsewhere/data"), path("images/link"));
    std::filesystem::create_symlink("a.qcow2", path("images/self"));
    std::filesystem::create_directory_symlink(path("elsewhere"), path("images/linked"));
    mkfifo(path("images/fifo").c_str(), 0600);
  }
  std::string path(const std::string& name) const { return directory_.file(name); }
  Companion open(const std::string& name, std::vector<std::string> follow = {}) const {
    return make_opener({.image_path = path("images/a.qcow2"), .follow_directories = std::move(follow)})(name);
  }

  TemporaryDirectory directory_;
};

TEST_F(Follow, names_that_stay_in_the_images_directory_are_opened) {
  for (const std::string& name :
       {std::string("data"), std::string("./data"), std::string("below/data"), std::string("below/../data"),
        path("images/data"), path("images/below/../data")}) {
    const Companion companion = open(name);
    EXPECT_EQ(companion.state, State::open) << name << ": " << companion.why;
    ASSERT_NE(companion.device, nullptr);
  }
}

TEST_F(Follow, names_that_leave_it_are_not_followed_unless_allowed) {
  for (const std::string& name : {std::string("../elsewhere/data"), path("elsewhere/data")}) {
    EXPECT_EQ(open(name).state, State::not_followed) << name;
    EXPECT_EQ(open(name, {path("below")}).state, State::not_followed) << name;
    EXPECT_EQ(open(name, {path("elsewhere")}).state, State::open) << name;
  }
}

TEST_F(Follow, symbolic_links_are_not_followed_at_any_place) {
  EXPECT_EQ(open("link").state, State::not_followed);
  EXPECT_EQ(open("linked/data").state, State::not_followed);
  EXPECT_EQ(open("link", {path("elsewhere")}).state, State::not_followed);
}

TEST_F(Follow, a_link_to_the_image_itself_is_recognised_without_opening_it) {
  const Companion self = open("self");
  EXPECT_EQ(self.state, State::not_followed);
  struct stat image{};
  ASSERT_EQ(stat(path("images/a.qcow2").c_str(), &image), 0);
  EXPECT_EQ(self.identity, (FileIdentity{image.st_dev, image.st_ino}));
}

TEST_F(Follow, what_is_not_there_is_missing_and_what_is_no_file_is_not_followed) {
  EXPECT_EQ(open("nothing").state, State::missing);
  EXPECT_EQ(open("nothing/at/all").state, State::missing);
  EXPECT_EQ(open("below").state, State::not_followed);
  EXPECT_EQ(open("fifo").state, State::not_followed);  // and does not wait for a writer
}

TEST_F(Follow, what_the_user_names_is_opened_whatever_the_image_says) {
  const OpenCompanion opener =
      make_opener({.image_path = path("images/a.qcow2"), .named_by_user = path("images/link")});
  EXPECT_EQ(opener("json:{}").state, State::open);
  EXPECT_EQ(opener("").state, State::open);
  EXPECT_EQ(make_opener({.image_path = path("images/a.qcow2"), .named_by_user = path("gone")})("data").state,
            State::missing);
}

TEST(JudgeName, tells_paths_from_what_only_looks_like_one) {
  EXPECT_EQ(judge_name("data.raw"), NameKind::plain);
  EXPECT_EQ(judge_name("below/data.raw"), NameKind::plain);
  EXPECT_EQ(judge_name("below/../data:1"), NameKind::plain);  // the colon is behind a slash
  EXPECT_EQ(judge_name(""), NameKind::empty);
  EXPECT_EQ(judge_name("/dev/sda"), NameKind::absolute);
  EXPECT_EQ(judge_name("../x"), NameKind::escapes);
  EXPECT_EQ(judge_name("a/../../x"), NameKind::escapes);
  EXPECT_EQ(judge_name("."), NameKind::escapes);
  EXPECT_EQ(judge_name("nbd://host"), NameKind::protocol);
  EXPECT_EQ(judge_name("json:{\"driver\":\"raw\"}"), NameKind::protocol);
  EXPECT_EQ(judge_name("file:x"), NameKind::protocol);
  EXPECT_EQ(judge_name(std::string_view("a\0b", 3)), NameKind::unprintable);
  EXPECT_EQ(judge_name("a\x1b[2Jb"), NameKind::unprintable);
}

}  // namespace
}  // namespace cowvet
