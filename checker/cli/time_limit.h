// --timeout: the program ends with "could not complete" once the time is over, whatever it is doing. What is
// being written then is written to its end, as long as there is somebody who reads it: a document is never
// cut.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace cowvet {

class TimeLimit {
 public:
  // From now on; 0: no limit.
  explicit TimeLimit(std::chrono::nanoseconds time);
  TimeLimit(const TimeLimit&) = delete;
  TimeLimit& operator=(const TimeLimit&) = delete;
  ~TimeLimit() { stop(); }

  // As long as no other thread may run: a signal handler prints `message` for people and `text` for standard
  // output when the time is over, and ends the process.
  void start_without_thread(std::string message, std::string text);

  // From now on: `say_so` runs in another thread when the time is over, and the process ends behind it,
  // unless it says that all has been said (false). To be called once.
  void start(std::function<bool()> say_so);

  // Nothing is to be said any more, or it has been. The time is not limited from here on.
  void stop();

  // Prints to standard output, from any thread, one at a time. False: it could not be written.
  bool print(std::string_view text);

 private:
  using Clock = std::chrono::steady_clock;

  void wait();
  void end_process_behind(const std::function<bool()>& say_so);
  bool reader_is_gone() const;

  const std::chrono::nanoseconds time_;
  const Clock::time_point end_;
  std::mutex mutex_;
  std::condition_variable in_time_;
  bool done_ = false;
  std::atomic<Clock::rep> written_at_ = 0;  // when what is being written was last taken; 0: nothing is
  std::function<bool()> say_so_;
  std::thread thread_;
};

}  // namespace cowvet
