// What `cowvet check` prints, image by image.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "checker/cli/check_options.h"
#include "checker/cli/time_limit.h"
#include "checker/device/device.h"
#include "checker/planning/plan.h"
#include "checker/report/report_writer.h"

namespace cowvet {

// One image of the command line, until it is printed.
struct Examined {
  std::string path;
  std::optional<Report> report;
  std::optional<Plan> plan;
  std::string error;  // what could not be done; without a report, everything
  std::optional<FileIdentity> image;
  std::optional<FileIdentity> data_file;
};

// Prints images in the order of the command line. An image with a data file waits until all are examined,
// because a later one may turn out to use the same file.
class CheckOutput {
 public:
  // `limit` is told to print, and when the time is over, that what is not printed was not verified.
  CheckOutput(const CheckOptions& options, TimeLimit& limit);
  CheckOutput(const CheckOutput&) = delete;
  CheckOutput& operator=(const CheckOutput&) = delete;
  ~CheckOutput();

  // First, once the process is in its sandbox, which must be before other threads run.
  void begin();
  void add(Examined examined);
  // The exit status of all.
  int finish();

 private:
  std::unique_lock<std::mutex> begin_printing();
  void print(const Examined& examined);
  void write(const std::string& text);
  void count(int status);
  bool give_up();

  const CheckOptions& options_;
  TimeLimit& limit_;
  // Held while what belongs together is put together and printed.
  std::mutex mutex_;
  std::atomic<bool> giving_up_ = false;  // from now on only who gives up prints
  const std::unique_ptr<ReportWriter> writer_;
  std::vector<Examined> waiting_;
  std::size_t printed_ = 0;  // images
  bool finished_ = false;
  int status_ = kExitSound;
};

}  // namespace cowvet
