// The pool with workers that do what images should not make them do.
#include "checker/triage/worker_pool.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <map>
#include <new>
#include <string>
#include <vector>

#include "checker/triage/examine_image.h"

namespace cowvet {
namespace {

using namespace std::chrono_literals;

// "crash-..." dies, "exit-..." leaves, "hang-..." never answers, "throw-..." throws, "pid-..." says in which
// process it was; all else is sound.
ImageResult misbehave(const std::string& path) {
  if (path.starts_with("crash")) {
    std::signal(SIGSEGV, SIG_DFL);  // sanitizers handle it
    raise(SIGSEGV);
  }
  if (path.starts_with("exit")) _exit(7);
  if (path.starts_with("throw")) throw std::runtime_error("unexpected");
  while (path.starts_with("hang")) pause();
  return {.path = path, .outcome = Outcome::sound, .signature = "sound", .detail = std::to_string(getpid())};
}

struct Seen {
  std::map<std::string, std::vector<ImageResult>> by_name;

  std::string of(const std::string& name) const {
    const auto at = by_name.find(name);
    if (at == by_name.end()) return "missing";
    return at->second.size() == 1 ? at->second.front().signature : "several";
  }
};

Seen examine_names(std::vector<std::string> names, const PoolOptions& options,
                   const Examine& examine = misbehave) {
  Seen seen;
  std::size_t next = 0;
  const auto done =
      examine_all([&] { return next < names.size() ? std::optional(names[next++]) : std::nullopt; }, examine,
                  options, [&](const ImageResult& result) { seen.by_name[result.path].push_back(result); });
  EXPECT_TRUE(done) << done.error();
  return seen;
}

std::vector<std::string> numbered(const std::string& prefix, int count) {
  std::vector<std::string> names;
  for (int number = 0; number < count; ++number) names.push_back(fmt::format("{}-{}", prefix, number));
  return names;
}

TEST(WorkerPool, answers_for_every_image_once) {
  const auto names = numbered("fine", 5000);
  const Seen seen = examine_names(names, {.jobs = 3, .timeout = 60s});
  EXPECT_EQ(seen.by_name.size(), names.size());
  for (const auto& name : names) EXPECT_EQ(seen.of(name), "sound");
}

TEST(WorkerPool, takes_many_images_in_one_process) {
  const Seen seen = examine_names(numbered("fine", 1000), {.jobs = 2, .timeout = 60s});
  std::map<std::string, int> processes;
  for (const auto& [name, results] : seen.by_name) ++processes[results.front().detail];
  EXPECT_LE(processes.size(), 2u);
  EXPECT_FALSE(processes.contains(std::to_string(getpid())));
}

TEST(WorkerPool, goes_on_after_a_crash_and_blames_the_right_image) {
  std::vector<std::string> names = numbered("fine", 300);
  names.insert(names.begin() + 250, "exit-250");
  names.insert(names.begin() + 100, {"crash-100", "crash-101"});
  names.insert(names.begin(), "crash-0");
  names.emplace_back("throw-last");
  for (const unsigned jobs : {1u, 4u}) {
    const Seen seen = examine_names(names, {.jobs = jobs, .timeout = 60s});
    EXPECT_EQ(seen.by_name.size(), names.size());
    for (const auto& name : numbered("fine", 300)) EXPECT_EQ(seen.of(name), "sound");
    for (const std::string name : {"crash-0", "crash-100", "crash-101"})
      EXPECT_EQ(seen.of(name), "crashed: signal 11");
    EXPECT_EQ(seen.of("exit-250"), "crashed: exit status 7");
    EXPECT_EQ(seen.of("throw-last"), "crashed: exit status 1");
  }
}

TEST(WorkerPool, ends_an_image_that_takes_too_long_and_no_other) {
  std::vector<std::string> names = numbered("fine", 200);
  names.insert(names.begin() + 120, "hang-120");
  names.insert(names.begin() + 3, "hang-3");
  const auto begun = std::chrono::steady_clock::now();
  const Seen seen = examine_names(names, {.jobs = 2, .timeout = 300ms});
  EXPECT_GE(std::chrono::steady_clock::now() - begun, 300ms);
  EXPECT_EQ(seen.by_name.size(), names.size());
  for (const auto& name : numbered("fine", 200)) EXPECT_EQ(seen.of(name), "sound");
  for (const std::string name : {"hang-3", "hang-120"}) {
    EXPECT_EQ(seen.of(name), "timeout: the limit was reached");
    EXPECT_EQ(seen.by_name.at(name).front().outcome, Outcome::timeout);
  }
}

TEST(WorkerPool, survives_when_every_image_crashes) {
  const auto names = numbered("crash", 60);
  const Seen seen = examine_names(names, {.jobs = 4, .timeout = 60s});
  for (const auto& name : names) EXPECT_EQ(seen.of(name), "crashed: signal 11");
}

TEST(WorkerPool, blames_a_worker_that_answers_for_no_image) {
  // A name is never empty, so that nobody asks twice; what comes instead of an answer is no JSON line.
  const auto nonsense = [](const std::string& path) -> ImageResult {
    if (path == "liar") {
      send_all(STDERR_FILENO + 1, "this is no answer\n");
      while (true) pause();
    }
    return misbehave(path);
  };
  const Seen seen = examine_names({"a", "liar", "b"}, {.jobs = 1, .timeout = 60s}, nonsense);
  EXPECT_EQ(seen.of("liar"), "crashed: signal 9");
  EXPECT_EQ(seen.of("a"), "sound");
  EXPECT_EQ(seen.of("b"), "sound");
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST(WorkerPool, limits_the_memory_of_a_worker) {
  const auto eat = [](const std::string& path) -> ImageResult {
    try {
      std::vector<char> much(path == "eater" ? std::size_t{512} << 20 : 1);
      return {.path = path, .outcome = Outcome::sound, .signature = much[0] == 0 ? "had it" : ""};
    } catch (const std::bad_alloc&) {
      return {.path = path, .outcome = Outcome::out_of_memory, .signature = "refused"};
    }
  };
  const std::vector<std::string> names = {"eater", "modest"};
  const Seen limited = examine_names(names, {.jobs = 1, .timeout = 60s, .max_memory_bytes = 64 << 20}, eat);
  EXPECT_EQ(limited.of("eater"), "refused");
  EXPECT_EQ(limited.of("modest"), "had it");
  const Seen free = examine_names(names, {.jobs = 1, .timeout = 60s}, eat);
  EXPECT_EQ(free.of("eater"), "had it");
}
#endif

TEST(WorkerPool, keeps_names_as_they_are) {
  const std::vector<std::string> names = {"line\nfeed", "\xff\xfe", "quote\"", std::string(40000, 'x')};
  const Seen seen = examine_names(names, {.jobs = 1, .timeout = 60s});
  for (const auto& name : names) EXPECT_EQ(seen.of(name), "sound");
}

TEST(WorkerPool, does_nothing_without_images) {
  EXPECT_TRUE(examine_names({}, {.jobs = 2, .timeout = 60s}).by_name.empty());
}

}  // namespace
}  // namespace cowvet
