#include "checker/triage/worker_queue.h"

#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <utility>

namespace cowvet {

std::expected<void, int> WorkerQueue::start(const Examine& examine, std::uint64_t max_memory_bytes) {
  auto process = start_worker(examine, max_memory_bytes);
  if (!process) return std::unexpected(process.error());
  process_ = std::move(*process);
  window_ = kFewest;
  return {};
}

void WorkerQueue::add(std::string name) {
  if (names_.empty()) begun_ = Clock::now();
  unsent_.append(name).push_back('\0');
  names_.push_back(std::move(name));
}

void WorkerQueue::send() {
  // Where it cannot be sent, the worker is dead, which is found out when its answers are read.
  send_all(socket(), unsent_);
  unsent_.clear();
}

bool WorkerQueue::receive(const std::function<void(const ImageResult&)>& take) {
  char buffer[1 << 16];
  std::size_t answers = 0;
  answered_ = false;
  ssize_t received = 0;
  do {
    received = recv(socket(), buffer, sizeof buffer, MSG_DONTWAIT);
    if (received <= 0) continue;
    received_.append(buffer, static_cast<std::size_t>(received));
    if (!take_answers(take, answers)) return false;
  } while (received > 0 || (received < 0 && errno == EINTR));
  const bool alive = received < 0 && errno == EAGAIN;
  if (answers != 0) adapt(answers);
  return alive;
}

bool WorkerQueue::take_answers(const std::function<void(const ImageResult&)>& take, std::size_t& answers) {
  std::size_t begin = 0;
  for (std::size_t end = 0; (end = received_.find('\n', begin)) != std::string::npos; begin = end + 1) {
    const std::string_view line(received_.data() + begin, end - begin);
    auto result = parse_result(nlohmann::json::parse(line, nullptr, false));
    if (!result || names_.empty()) return false;
    result->path = std::move(names_.front());  // as it is, whatever JSON made of it
    names_.pop_front();
    ++answers;
    take(*result);
  }
  received_.erase(0, begin);
  return true;
}

// As many names as keep the worker busy for a few milliseconds: a slow one shall not sit on a long queue
// while others have nothing to do.
void WorkerQueue::adapt(std::size_t answers) {
  constexpr std::chrono::milliseconds kEnough{10};
  const auto now = Clock::now();
  const auto each = std::max<Clock::duration>((now - begun_) / answers, std::chrono::nanoseconds{1});
  window_ = std::clamp(static_cast<std::size_t>(kEnough / each), kFewest, kMost);
  begun_ = now;
  answered_ = true;
}

void WorkerQueue::stop() {
  kill(process_.process, SIGKILL);
}

int WorkerQueue::end() {
  int status = 0;
  stop();  // of a process that is dying already, this does not change the status
  while (waitpid(process_.process, &status, 0) < 0 && errno == EINTR) continue;
  process_ = WorkerProcess{.process = -1, .socket = Descriptor()};
  received_.clear();
  return status;
}

std::deque<std::string> WorkerQueue::take_rest() {
  return std::exchange(names_, {});
}

}  // namespace cowvet
