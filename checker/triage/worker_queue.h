// The program's side of a worker process: the names that it was sent and has not answered, in order.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <expected>
#include <functional>
#include <string>
#include <string_view>

#include "checker/triage/image_result.h"
#include "checker/triage/worker.h"

namespace cowvet {

class WorkerQueue {
 public:
  using Clock = std::chrono::steady_clock;

  WorkerQueue() = default;
  WorkerQueue(const WorkerQueue&) = delete;
  WorkerQueue& operator=(const WorkerQueue&) = delete;
  ~WorkerQueue() {
    if (running()) end();
  }

  bool running() const { return process_.process >= 0; }
  bool empty() const { return names_.empty(); }
  bool wants_more() const { return names_.size() <= window_ / 2; }
  bool has_room() const { return names_.size() < window_ && unsent_.size() < kMostBytes; }
  int socket() const { return process_.socket.get(); }
  Clock::time_point begun() const { return begun_; }

  // An errno value where no process can be made.
  std::expected<void, int> start(const Examine& examine, std::uint64_t max_memory_bytes);
  void add(std::string name);
  // Sends what was added. The process must be running.
  void send();

  // Takes the answers that are there. False: the worker is dead, or what it says makes no sense.
  bool receive(const std::function<void(const ImageResult&)>& take);
  bool answered() const { return answered_; }  // in the last call of receive

  // Whatever it is doing; what it has answered already can still be received.
  void stop();
  // Stops it and waits for it; returns its status as waitpid gives it.
  int end();
  // What was not answered, in order. The process must have ended.
  std::deque<std::string> take_rest();

 private:
  static constexpr std::size_t kFewest = 2;
  static constexpr std::size_t kMost = 64;
  static constexpr std::size_t kMostBytes = 1 << 15;  // of names, so that sending them never waits

  bool take_answers(const std::function<void(const ImageResult&)>& take, std::size_t& answers);
  void adapt(std::size_t answers);

  WorkerProcess process_;
  std::deque<std::string> names_;
  std::string unsent_;            // names, each with a NUL behind it
  std::string received_;          // the beginning of an answer
  Clock::time_point begun_;       // when the head of the queue was, as far as the program can tell
  std::size_t window_ = kFewest;  // names that may be in the queue
  bool answered_ = false;
};

}  // namespace cowvet
