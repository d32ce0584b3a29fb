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

TEST(ProgressDisplay, is_silent_where_there_is_no_terminal) {
  reserve_progress_signal();
  const CaughtStandardError caught;
  const Progress progress;
  {
    const ProgressDisplay display(progress, "a", false);
    std::this_thread::sleep_for(1200ms);
  }
  EXPECT_THAT(caught.text(), IsEmpty());
}

TEST(ProgressDisplay, writes_a_line_at_once_where_it_is_forced) {
  reserve_progress_signal();
  const CaughtStandardError caught;
  Progress progress;
  progress.begin("walk_l2_tables", 2);
  const ProgressDisplay display(progress, "a", true);
  EXPECT_EQ(caught.wait_for_line(), "a: walk l2 tables, 0%\n");
}

TEST(ProgressDisplay, answers_the_signal_with_a_line) {
  reserve_progress_signal();
  const CaughtStandardError caught;
  Progress progress;
  progress.begin("walk_l2_tables", 2);
  progress.advance(1);
  const ProgressDisplay display(progress, "a", false);
  kill(getpid(), SIGUSR1);
  EXPECT_EQ(caught.wait_for_line(), "a: walk l2 tables, 50%\n");
}

TEST(ProgressDisplay, ends_at_once) {
  reserve_progress_signal();
  const Progress progress;
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 100; ++i) const ProgressDisplay display(progress, "a", false);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 10s);
}

}  // namespace
}  // namespace cowvet
