// Uses the installed library only. `consumer check IMAGE` prints the rules that an image breaks, and exits
// with the worst severity; `consumer repair IMAGE` does what is safe, and exits with 0 when it is done.
#include <checker/analysis/analyze.h>
#include <checker/device/file_device.h>
#include <checker/device/journal_name.h>
#include <checker/planning/planner.h>
#include <repair/directory_storage.h>
#include <repair/file_writable_device.h>
#include <repair/transaction.h>

#include <iostream>
#include <string_view>

namespace {

int fail(std::string_view message) {
  std::cerr << message << '\n';
  return 65;
}

int check(const char* path) {
  const auto image = cowvet::FileDevice::open(path);
  if (!image) return fail(image.error().message);
  const cowvet::Report report = cowvet::analyze({.image = **image, .open_data_file = {}, .open_backing = {}}, {});
  for (const cowvet::RuleTotal& total : report.totals) std::cout << total.rule->id << '\n';
  return static_cast<int>(report.worst);
}

int repair(const char* path) {
  const auto image = cowvet::FileWritableDevice::open(path);
  if (!image) return fail(image.error().message);
  const auto plan = cowvet::make_plan({.image = **image, .open_data_file = {}, .open_backing = {}}, {});
  if (!plan) return fail(plan.error());
  const cowvet::RepairFiles files{.image = **image};
  auto changes = cowvet::make_changes(*plan, files, "");
  if (!changes) return fail(changes.error());
  cowvet::DirectoryStorage storage(cowvet::journal_path_of(path), cowvet::undo_path_of(path));
  const cowvet::TransactionOptions options;
  const auto result = cowvet::Transaction(files, storage, options).run(std::move(*changes));
  return result.state == cowvet::RepairResult::State::done ? 0 : fail(result.message);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 64;
  return argv[1] == std::string_view("repair") ? repair(argv[2]) : check(argv[2]);
}
