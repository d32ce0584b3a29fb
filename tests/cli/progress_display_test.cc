#include "checker/cli/progress_display.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <iterator>

#include "tests/support/temporary_directory.h"

namespace cowvet {
namespace {

using namespace std::chrono_literals;
using testing::IsEmpty;

// Standard error goes to a file for as long as this lives.
class CaughtStandardError {
 public:
  CaughtStandardError() : saved_(dup(STDERR_FILENO)) {
    const int file = open(path().c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    dup2(file, STDERR_FILENO);
    close(file);
  }
  CaughtStandardError(const CaughtStandardError&) = delete;
  CaughtStandardError& operator=(const CaughtStandardError&) = delete;
  ~CaughtStandardError() {
    dup2(saved_, STDERR_FILENO);
    close(saved_);
  }

  std::string text() const {
    std::ifstream file(path());
    return {std::istreambuf_iterator<char>(file), {}};
  }
  // What was written once there is a line, or after ten seconds.
  std::string wait_for_line() const {
    for (int i = 0; i < 1000 && !text().ends_with('\n'); ++i) std::this_thread::sleep_for(10ms);
    return text();
  }

 private:
  std::string path() const { return directory_.file("stderr"); }

  TemporaryDirectory directory_;
  int saved_;
};

TEST(ProgressLine, names_the_pass_and_its_share) {
  Progress progress;
  EXPECT_EQ(progress_line("a\x1b", progress), "a\\x1b: load the header");
  progress.begin("walk_l2_tables", 0);
  EXPECT_EQ(progress_line("a", progress), "a: walk l2 tables");
  progress.begin("walk_l2_tables", 300);
  progress.advance(100);
  EXPECT_EQ(progress_line("a", progress), "a: walk l2 tables, 33%");
  progress.advance(1000);
  EXPECT_EQ(progress_line("a", progress), "a: walk l2 tables, 100%");
}

TEST(ProgressFdLine, is_that_of_e2fsck) {
  Progress progress;
  int pass = 1;
  EXPECT_EQ(progress_fd_line("a", progress, pass), "");
  progress.begin("hash_the_file", 10);
  EXPECT_EQ(progress_fd_line("a b\n", progress, pass), "1 0 10 a b\\n\n");
  progress.begin("walk_l2_tables", 300);
  progress.advance(100);
  EXPECT_EQ(progress_fd_line("a", progress, pass), "1 100 300 a\n");
  progress.begin("check_raw_data", 2);
  progress.advance(3);
  EXPECT_EQ(progress_fd_line("a", progress, pass), "4 2 2 a\n");
  progress.begin("hash_the_file", 10);
  EXPECT_EQ(progress_fd_line("a", progress, pass), "4 0 10 a\n");
}

// A pipe that nobody reads, and one whose reader has gone.
TEST(ProgressDisplay, waits_for_no_reader_of_the_descriptor) {
  reserve_progress_signal();
  Progress progress;
  progress.begin("walk_l2_tables", 1'000'000);
  for (const bool gone : {false, true}) {
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    while (!gone && write(ends[1], "x", 1) == 1) {
    }
    fcntl(ends[1], F_SETFL, 0);  // blocking from here on
    if (gone) close(ends[0]);
    {
      const ProgressDisplay display(progress, "a", {.descriptor = ends[1]});
      for (int i = 0; i < 3; ++i) {
        progress.advance(1);
        std::this_thread::sleep_for(150ms);
      }
    }
    close(ends[1]);
    if (!gone) close(ends[0]);
  }
}

TEST(ProgressDisplay, is_silent_where_there_is_no_terminal) {
  reserve_progress_signal();
  const CaughtStandardError caught;
  const Progress progress;
  {
    const ProgressDisplay display(progress, "a", {});
    std::this_thread::sleep_for(1200ms);
  }
  EXPECT_THAT(caught.text(), IsEmpty());
}

TEST(ProgressDisplay, writes_a_line_at_once_where_it_is_forced) {
  reserve_progress_signal();
  const CaughtStandardError caught;
  Progress progress;
  progress.begin("walk_l2_tables", 2);
  const ProgressDisplay display(progress, "a", {.forced = true});
  EXPECT_EQ(caught.wait_for_line(), "a: walk l2 tables, 0%\n");
}

TEST(ProgressDisplay, answers_the_signal_with_a_line) {
  reserve_progress_signal();
  const CaughtStandardError caught;
  Progress progress;
  progress.begin("walk_l2_tables", 2);
  progress.advance(1);
  const ProgressDisplay display(progress, "a", {});
  kill(getpid(), SIGUSR1);
  EXPECT_EQ(caught.wait_for_line(), "a: walk l2 tables, 50%\n");
}

TEST(ProgressDisplay, ends_at_once) {
  reserve_progress_signal();
  const Progress progress;
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 100; ++i) const ProgressDisplay display(progress, "a", {});
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 10s);
}

}  // namespace
}  // namespace cowvet
