// A new file stays when it is kept, and only then.
#include "checker/cli/new_file.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "tests/support/temporary_directory.h"

namespace cowvet {
namespace {

class NewFileTest : public testing::Test {
 protected:
  std::string content() const {
    std::ostringstream all;
    all << std::ifstream(path_).rdbuf();
    return all.str();
  }
  bool there() const { return std::filesystem::exists(path_); }
  // What its own process has to do takes a moment.
  bool goes() const {
    using namespace std::chrono_literals;
    const auto end = std::chrono::steady_clock::now() + 20s;
    while (there() && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(5ms);
    return !there();
  }

  TemporaryDirectory directory_;
  std::string path_ = directory_.file("new");
};

TEST_F(NewFileTest, stays_when_it_is_kept) {
  {
    auto file = NewFile::make(path_, "the text");
    ASSERT_TRUE(file.has_value()) << file.error();
    file->stream() << "hello";
    EXPECT_EQ(file->keep(), "");
  }
  EXPECT_EQ(content(), "hello");
}

TEST_F(NewFileTest, is_gone_at_once_when_it_is_not_kept) {
  {
    auto file = NewFile::make(path_, "the text");
    ASSERT_TRUE(file.has_value()) << file.error();
    const NewFile moved = *std::move(file);
    EXPECT_TRUE(there());
  }
  EXPECT_FALSE(there());
}

TEST_F(NewFileTest, is_gone_when_the_program_is_killed) {
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t program = fork();
  if (program == 0) {
    auto file = NewFile::make(path_, "the text");
    file->stream() << "half of it" << std::flush;
    if (write(ready[1], "r", 1) == 1) pause();
    _exit(1);
  }
  char byte = 0;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  EXPECT_EQ(content(), "half of it");
  kill(program, SIGKILL);
  waitpid(program, nullptr, 0);
  EXPECT_TRUE(goes());
}

TEST_F(NewFileTest, takes_the_place_of_nothing) {
  std::ofstream(path_) << "something";
  const auto file = NewFile::make(path_, "the text");
  ASSERT_FALSE(file.has_value());
  EXPECT_EQ(file.error(), "the text cannot be written to " + path_ + ": it must be a new file");
  EXPECT_EQ(content(), "something");
  EXPECT_FALSE(NewFile::make(directory_.file("no/where"), "the text").has_value());
}

TEST_F(NewFileTest, removes_no_other_file_that_took_its_name) {
  {
    const auto file = NewFile::make(path_, "the text");
    ASSERT_TRUE(file.has_value());
    std::filesystem::remove(path_);
    std::ofstream(path_) << "another";
  }
  EXPECT_EQ(content(), "another");
}

TEST_F(NewFileTest, follows_no_link) {
  std::filesystem::create_symlink(directory_.file("target"), path_);
  EXPECT_FALSE(NewFile::make(path_, "the text").has_value());
  EXPECT_FALSE(std::filesystem::exists(directory_.file("target")));
}

}  // namespace
}  // namespace cowvet
