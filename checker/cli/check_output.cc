#include "checker/cli/check_output.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>  // program_invocation_short_name
#include <chrono>
#include <cstdlib>
#include <string_view>
#include <thread>
#include <utility>

#include "checker/analysis/check_shared_data_files.h"
#include "checker/cli/command_line.h"

namespace cowvet {
namespace {

constexpr std::string_view kMessage = "not verified: the time given by --timeout is over";

bool colour_wanted() {
  // NOLINTBEGIN(concurrency-mt-unsafe): nothing in this program changes the environment.
  const char* no_colour = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  // NOLINTEND(concurrency-mt-unsafe)
  const bool forbidden = no_colour != nullptr && *no_colour != '\0';
  const bool dumb = terminal == nullptr || std::string_view(terminal) == "dumb";
  return isatty(STDOUT_FILENO) == 1 && !forbidden && !dumb;
}

std::unique_ptr<ReportWriter> make_writer(const CheckOptions& options) {
  return make_report_writer({.format = options.format,
                             .several = options.images.size() > 1,
                             .text = {.judging = options.judging,
                                      .findings_per_rule = options.analysis.findings_per_rule,
                                      .colour = colour_wanted()}});
}

// The whole output where the time is over before the first image is open.
std::string nothing_verified(const CheckOptions& options) {
  const auto writer = make_writer(options);
  std::string text = writer->begin();
  for (const std::string& image : options.images) text += writer->failure(image, kMessage);
  return text + writer->end();
}

}  // namespace

CheckOutput::CheckOutput(const CheckOptions& options, TimeLimit& limit)
    : options_(options), limit_(limit), writer_(make_writer(options)) {
  limit_.start_without_thread(fmt::format("{}: {}\n", program_invocation_short_name, kMessage),
                              options.quiet ? "" : nothing_verified(options));
}

void CheckOutput::begin() {
  write(writer_->begin());
  limit_.start([this] { return give_up(); });
}

CheckOutput::~CheckOutput() {
  limit_.stop();
}

// Does not come back once the time is over.
std::unique_lock<std::mutex> CheckOutput::begin_printing() {
  std::unique_lock lock(mutex_);
  if (!giving_up_) return lock;
  lock.unlock();
  while (true) std::this_thread::sleep_for(std::chrono::hours(1));
}

void CheckOutput::add(Examined examined) {
  const auto lock = begin_printing();
  if (!examined.error.empty()) print_error(examined.error);
  if (waiting_.empty() && !examined.data_file) {
    print(examined);
  } else {
    waiting_.push_back(std::move(examined));
  }
}

int CheckOutput::finish() {
  const auto lock = begin_printing();
  std::vector<FilesOf> files;
  files.reserve(waiting_.size());
  for (Examined& examined : waiting_)
    if (examined.report) files.push_back({&*examined.report, examined.image, examined.data_file});
  check_shared_data_files(files);
  for (const Examined& examined : waiting_) print(examined);
  write(writer_->end());
  finished_ = true;
  return status_;
}

void CheckOutput::print(const Examined& examined) {
  if (examined.report) count(exit_status_of(*examined.report, options_.judging));
  if (!examined.error.empty()) count(kExitIncomplete);
  write(examined.report ? writer_->image(*examined.report, examined.plan ? &*examined.plan : nullptr)
                        : writer_->failure(examined.path, examined.error));
  ++printed_;
}

// Another thread may go on examining meanwhile; what it finds is not printed any more.
bool CheckOutput::give_up() {
  giving_up_ = true;
  const std::scoped_lock lock(mutex_);
  if (finished_) return false;
  print_error(kMessage);
  for (std::size_t image = printed_; image < options_.images.size(); ++image)
    write(writer_->failure(options_.images[image], kMessage));
  write(writer_->end());
  return true;
}

void CheckOutput::write(const std::string& text) {
  if (!options_.quiet && !text.empty() && !limit_.print(text)) count(kExitIncomplete);
}

void CheckOutput::count(int status) {
  status_ = worse_exit_status(status_, status);
}

}  // namespace cowvet
