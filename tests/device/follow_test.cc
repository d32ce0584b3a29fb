#include "checker/device/follow.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "checker/device/file_device.h"
#include "tests/support/temporary_directory.h"

namespace cowvet {
namespace {

using State = Companion::State;

// images/a.qcow2 with companions around it. Every file holds its own name.
class Follow : public testing::Test {
 protected:
  Follow() {
    std::filesystem::create_directories(path("images/below"));
    std::filesystem::create_directories(path("elsewhere/deep"));
    for (const char* name : {"images/a.qcow2", "images/data", "images/below/data", "elsewhere/data",
                             "elsewhere/deep/data", "data"})
      std::ofstream(path(name)) << name;
    std::filesystem::create_symlink(path("elsewhere/data"), path("images/link"));
    std::filesystem::create_symlink("a.qcow2", path("images/self"));
    std::filesystem::create_directory_symlink(path("elsewhere/deep"), path("images/linked"));
    std::filesystem::create_directory_symlink(path("images"), path("alias"));
    mkfifo(path("images/fifo").c_str(), 0600);
  }
  std::string path(const std::string& name) const { return directory_.file(name); }

  Companion open(const std::string& name, std::vector<std::string> follow = {}) const {
    return make_opener({.image_path = path("images/a.qcow2"), .follow_directories = std::move(follow)})(name);
  }
  // The name that is in the file; in brackets, why there is none.
  static std::string content(const Companion& companion) {
    if (!companion.device) return companion.state == State::missing ? "(missing)" : "(not followed)";
    std::string text(companion.device->size_bytes(), '\0');
    EXPECT_TRUE(companion.device->read(0, std::as_writable_bytes(std::span(text))));
    return text;
  }
  std::string opened(const std::string& name, std::vector<std::string> follow = {}) const {
    return content(open(name, std::move(follow)));
  }

  TemporaryDirectory directory_;
};

TEST_F(Follow, names_that_stay_in_the_images_directory_are_opened) {
  for (const char* name : {"data", "./data", "below/../data", "below//.././data"})
    EXPECT_EQ(opened(name), "images/data") << name;
  EXPECT_EQ(opened("below/data"), "images/below/data");
  for (const char* name : {"images/data", "images/below/../data", "images/./data"})
    EXPECT_EQ(opened(path(name)), "images/data") << name;
}

TEST_F(Follow, path_is_told_as_the_user_calls_the_directory) {
  EXPECT_EQ(open("data").path, path("images/data"));
  EXPECT_EQ(open("below/data").path, path("images/below/data"));
  EXPECT_EQ(open(path("elsewhere/data")).path, path("elsewhere/data"));
}

TEST_F(Follow, image_may_be_called_by_a_relative_path) {
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(path("images"));
  const auto open_from = [](const char* image, const std::string& name) {
    return content(make_opener({.image_path = image})(name));
  };
  EXPECT_EQ(open_from("a.qcow2", "data"), "images/data");
  EXPECT_EQ(open_from("a.qcow2", path("images/data")), "images/data");
  EXPECT_EQ(open_from("../images/a.qcow2", "below/data"), "images/below/data");
  EXPECT_EQ(open_from("../images/a.qcow2", path("images/data")), "images/data");
  EXPECT_EQ(make_opener({.image_path = "a.qcow2"})("data").path, "data");
  std::filesystem::current_path(before);
}

TEST_F(Follow, names_that_leave_it_are_not_followed_unless_allowed) {
  for (const std::string& name :
       {std::string("../elsewhere/data"), path("elsewhere/data"), std::string("../elsewhere/deep/../data")}) {
    EXPECT_EQ(opened(name), "(not followed)") << name;
    EXPECT_EQ(opened(name, {path("images/below")}), "(not followed)") << name;
    EXPECT_EQ(opened(name, {path("elsewhere/deep")}), "(not followed)") << name;
    EXPECT_EQ(opened(name, {path("images/below"), path("elsewhere")}), "elsewhere/data") << name;
  }
}

TEST_F(Follow, allowed_directory_allows_nothing_beside_it) {
  EXPECT_EQ(opened(path("elsewhere/../data"), {path("elsewhere")}), "(not followed)");
  EXPECT_EQ(opened(path("elsewhere/deep/../../data"), {path("elsewhere")}), "(not followed)");
  EXPECT_EQ(opened(path("elsewhere"), {path("elsewhere")}), "(not followed)");
  std::filesystem::create_directory(path("elsewhere2"));
  std::ofstream(path("elsewhere2/data")) << "beside";
  EXPECT_EQ(opened(path("elsewhere2/data"), {path("elsewhere")}), "(not followed)");
}

TEST_F(Follow, directories_that_the_user_names_may_be_links) {
  EXPECT_EQ(opened(path("elsewhere/deep/data"), {path("images/linked")}), "elsewhere/deep/data");
  EXPECT_EQ(opened(path("images/linked/data"), {path("images/linked")}), "elsewhere/deep/data");
  EXPECT_EQ(opened("linked/data", {path("images/linked")}), "elsewhere/deep/data");
  const OpenCompanion opener = make_opener({.image_path = path("alias/a.qcow2")});
  EXPECT_EQ(content(opener("data")), "images/data");
  EXPECT_EQ(content(opener(path("alias/data"))), "images/data");
  EXPECT_EQ(content(opener(path("images/data"))), "images/data");
}

TEST_F(Follow, symbolic_links_are_not_followed_at_any_place) {
  for (const char* name : {"link", "linked/data", "below/../link"}) {
    EXPECT_EQ(opened(name), "(not followed)") << name;
    EXPECT_EQ(opened(name, {path("elsewhere")}), "(not followed)") << name;
  }
  // For QEMU this is elsewhere/data, not images/data.
  EXPECT_EQ(opened("linked/../data"), "(not followed)");
}

TEST_F(Follow, link_to_the_image_itself_is_recognized_without_opening_it) {
  const Companion self = open("self");
  EXPECT_EQ(self.state, State::not_followed);
  struct stat image{};
  ASSERT_EQ(stat(path("images/a.qcow2").c_str(), &image), 0);
  EXPECT_EQ(self.identity, (FileIdentity{image.st_dev, image.st_ino}));
  EXPECT_NE(open("link").identity, self.identity);
}

TEST_F(Follow, what_is_not_there_is_missing) {
  EXPECT_EQ(opened("nothing"), "(missing)");
  EXPECT_EQ(opened("nothing/at/all"), "(missing)");
  EXPECT_EQ(opened(std::string(300, 'x')), "(missing)");
  std::string long_name;
  while (long_name.size() < 1 << 20) long_name += "below/../";
  EXPECT_EQ(open(long_name + "data").why, "File name too long");  // as it is for QEMU
  EXPECT_EQ(open("nothing").why, "No such file or directory");
}

TEST_F(Follow, what_is_no_file_is_not_followed) {
  for (const char* name : {"below", "below/", "data/", "data/.", "fifo", ".", "", "data/x"})
    EXPECT_EQ(opened(name), "(not followed)") << name;
}

TEST_F(Follow, addresses_are_not_followed_even_where_a_file_has_that_name) {
  for (const std::string name : {"file:data", "json:{}", "nbd:unix", "da\nta"}) {
    std::ofstream(path("images/" + name)) << "here";
    EXPECT_EQ(opened(name), "(not followed)") << name;
    EXPECT_EQ(opened(name, {path("images")}), "(not followed)") << name;
  }
  EXPECT_EQ(opened(std::string("data\0x", 6)), "(not followed)");
  EXPECT_EQ(opened("./file:data"), "here");
}

TEST_F(Follow, what_the_user_names_is_opened_whatever_the_image_says) {
  const OpenCompanion opener =
      make_opener({.image_path = path("images/a.qcow2"), .named_by_user = path("images/link")});
  EXPECT_EQ(content(opener("json:{}")), "elsewhere/data");
  EXPECT_EQ(content(opener("")), "elsewhere/data");
}

TEST_F(Follow, what_the_user_names_in_vain_is_missing) {
  for (const char* name : {"gone", "images", "images/fifo"}) {
    const Companion companion =
        make_opener({.image_path = path("images/a.qcow2"), .named_by_user = path(name)})("data");
    EXPECT_EQ(companion.state, State::missing) << name;
    EXPECT_EQ(companion.path, path(name));
  }
}

TEST_F(Follow, file_in_use_is_not_read_but_known) {
  FollowRules rules{.image_path = path("images/a.qcow2"), .locks = LockUse::take};
  const Companion first = make_opener(rules)("data");
  EXPECT_EQ(content(first), "images/data");
  EXPECT_EQ(content(make_opener(rules)("data")), "images/data");  // readers share

  const LockPlan write{.wanted = kLockRead | kLockWrite};
  const auto writer = FileDevice::open(path("images/below/data")).value();
  ASSERT_TRUE(take_locks(writer->descriptor(), write));
  const Companion refused = make_opener(rules)("below/data");
  EXPECT_EQ(refused.state, State::missing);
  EXPECT_TRUE(refused.why.starts_with("in use: another process has it open for writing")) << refused.why;
  EXPECT_EQ(refused.identity, writer->identity());
  rules.locks = LockUse::none;
  EXPECT_EQ(content(make_opener(rules)("below/data")), "images/below/data");
}

TEST(JudgeName, tells_paths_from_what_only_looks_like_one) {
  EXPECT_EQ(judge_name("data.raw"), NameKind::plain);
  EXPECT_EQ(judge_name("below/data.raw"), NameKind::plain);
  EXPECT_EQ(judge_name("..data/..."), NameKind::plain);
  EXPECT_EQ(judge_name("below/../data:1"), NameKind::plain);  // the colon is behind a slash
  EXPECT_EQ(judge_name(""), NameKind::empty);
  EXPECT_EQ(judge_name("/dev/sda"), NameKind::absolute);
  EXPECT_EQ(judge_name("//server/share:x"), NameKind::absolute);
  EXPECT_EQ(judge_name("../x"), NameKind::escapes);
  EXPECT_EQ(judge_name("a/../../a/x"), NameKind::escapes);
  EXPECT_EQ(judge_name("a/.."), NameKind::escapes);
  EXPECT_EQ(judge_name("."), NameKind::escapes);
  EXPECT_EQ(judge_name("nbd://host"), NameKind::protocol);
  EXPECT_EQ(judge_name("json:{\"driver\":\"raw\"}"), NameKind::protocol);
  EXPECT_EQ(judge_name("file:x"), NameKind::protocol);
  EXPECT_EQ(judge_name(":"), NameKind::protocol);
  EXPECT_EQ(judge_name(std::string_view("a\0b", 3)), NameKind::unprintable);
  EXPECT_EQ(judge_name("a\x1b[2Jb"), NameKind::unprintable);
  EXPECT_EQ(judge_name("/a\x7f"), NameKind::unprintable);
}

}  // namespace
}  // namespace cowvet
