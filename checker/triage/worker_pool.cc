#include "checker/triage/worker_pool.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/wait.h>

#include <algorithm>
#include <deque>
#include <filesystem>
#include <iterator>
#include <system_error>
#include <utility>
#include <vector>

#include "checker/triage/signature.h"
#include "checker/triage/worker_queue.h"

namespace cowvet {
namespace {

using Clock = WorkerQueue::Clock;

// As waitpid gives it.
std::string describe_death(int status) {
  if (WIFSIGNALED(status)) return fmt::format("signal {}", WTERMSIG(status));
  return fmt::format("exit status {}", WEXITSTATUS(status));
}

ImageResult blamed(std::string path, Outcome outcome, std::string_view reason) {
  std::error_code failed;
  const std::uint64_t size_bytes = std::filesystem::file_size(path, failed);
  return {.path = std::move(path),
          .size_bytes = failed ? 0 : size_bytes,
          .outcome = outcome,
          .signature = signature_of(outcome, reason),
          .check_errors = 1};
}

class Pool {
 public:
  Pool(const ImageSource& source, const Examine& examine, const PoolOptions& options, const ResultSink& sink)
      : source_(source), examine_(examine), options_(options), sink_(sink), workers_(options.jobs) {}

  std::expected<void, std::string> run() {
    for (;;) {
      // A process less is no reason to give up while there are others.
      std::expected<void, std::string> filled;
      for (WorkerQueue& worker : workers_)
        if (auto result = fill(worker); !result) filled = std::move(result);
      if (std::ranges::all_of(workers_, &WorkerQueue::empty)) return filled;
      wait_for_answers();
      for (WorkerQueue& worker : workers_)
        if (!worker.empty()) attend(worker);
    }
  }

 private:
  std::optional<std::string> next_image() {
    if (!returned_.empty()) {
      std::string image = std::move(returned_.front());
      returned_.pop_front();
      return image;
    }
    if (exhausted_) return std::nullopt;
    std::optional<std::string> image = source_();
    exhausted_ = !image;
    return image;
  }

  // Keeps the queue more than half full.
  std::expected<void, std::string> fill(WorkerQueue& worker) {
    if (!worker.wants_more()) return {};
    std::optional<std::string> image = next_image();
    if (!image) return {};
    if (!worker.running()) {
      if (const auto started = worker.start(examine_, options_.max_memory_bytes); !started) {
        returned_.push_front(std::move(*image));
        return std::unexpected(
            fmt::format("cannot start a process: {}", std::generic_category().message(started.error())));
      }
    }
    do worker.add(std::move(*image));
    while (worker.has_room() && (image = next_image()));
    worker.send();
    return {};
  }

  // Until there are answers, or the next worker's time is up.
  void wait_for_answers() const {
    std::vector<pollfd> sockets;
    auto deadline = Clock::time_point::max();
    for (const WorkerQueue& worker : workers_) {
      if (worker.empty()) continue;
      sockets.push_back({.fd = worker.socket(), .events = POLLIN, .revents = 0});
      deadline = std::min(deadline, worker.begun() + options_.timeout);
    }
    constexpr std::int64_t kLongest = 60'000;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    poll(sockets.data(), sockets.size(), static_cast<int>(std::clamp<std::int64_t>(left, 0, kLongest)));
  }

  void attend(WorkerQueue& worker) {
    if (!worker.receive(sink_)) {
      const int status = worker.end();
      give_back(worker, Outcome::crashed, describe_death(status));
    } else if (!worker.empty() && Clock::now() >= worker.begun() + options_.timeout) {
      end_late(worker);
    }
  }

  // Its last answers may be on their way: then the head of the queue is another image than the slow one.
  void end_late(WorkerQueue& worker) {
    worker.stop();
    worker.receive(sink_);
    worker.end();
    if (worker.answered()) {
      give_back(worker);
    } else {
      give_back(worker, Outcome::timeout, "the limit was reached");
    }
  }

  void give_back(WorkerQueue& worker) {
    std::deque<std::string> rest = worker.take_rest();
    returned_.insert(returned_.begin(), std::make_move_iterator(rest.begin()),
                     std::make_move_iterator(rest.end()));
  }
  // The same but for the first, which is to blame.
  void give_back(WorkerQueue& worker, Outcome outcome, std::string_view reason) {
    const bool any = !worker.empty();
    give_back(worker);
    if (!any) return;
    sink_(blamed(std::move(returned_.front()), outcome, reason));
    returned_.pop_front();
  }

  const ImageSource& source_;
  const Examine& examine_;
  const PoolOptions& options_;
  const ResultSink& sink_;
  std::deque<WorkerQueue> workers_;
  std::deque<std::string> returned_;  // from the queues of workers that ended
  bool exhausted_ = false;
};

}  // namespace

std::expected<void, std::string> examine_all(const ImageSource& source, const Examine& examine,
                                             const PoolOptions& options, const ResultSink& sink) {
  return Pool(source, examine, options, sink).run();
}

}  // namespace cowvet
