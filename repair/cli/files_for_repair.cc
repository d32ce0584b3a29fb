#include "repair/cli/files_for_repair.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "checker/cli/command_line.h"
#include "checker/device/borrowed_device.h"
#include "checker/device/follow.h"
#include "repair/repair_locks.h"

namespace cowvet {
namespace {

// A sentence that says what is in the way; empty: locked.
std::string lock(const FileWritableDevice& device) {
  const auto locks = take_locks(device.descriptor(), kRepairLocks);
  if (!locks) return fmt::format("{}: {}", device.name(), locks.error());
  if (const std::string_view remark = describe(*locks); !remark.empty())
    print_error(fmt::format("{}: {}", device.name(), remark));
  return "";
}

std::expected<std::unique_ptr<FileWritableDevice>, Outcome> open_and_lock(const std::string& path) {
  auto image = FileWritableDevice::open(path);
  if (!image) return std::unexpected(Outcome{Ending::failed, image.error().message});
  if (std::string in_use = lock(**image); !in_use.empty())
    return std::unexpected(Outcome{Ending::refused, std::move(in_use)});
  return std::move(*image);
}

}  // namespace

std::expected<std::unique_ptr<FilesForRepair>, Outcome> FilesForRepair::open(const std::string& path,
                                                                             const ImageOptions& options) {
  auto image = open_and_lock(path);
  if (!image) return std::unexpected(std::move(image.error()));
  FollowRules rules{.image_path = path, .follow_directories = options.follow};
  OpenCompanion backing = make_opener(rules);
  if (!options.data_file.empty()) rules.named_by_user = options.data_file;
  return std::unique_ptr<FilesForRepair>(
      new FilesForRepair(std::move(*image), make_opener(std::move(rules)), std::move(backing), true));
}

std::expected<std::unique_ptr<FilesForRepair>, Outcome> FilesForRepair::open_copy(
    const std::string& path, OpenCompanion open_data_file, OpenCompanion open_backing) {
  auto image = open_and_lock(path);
  if (!image) return std::unexpected(std::move(image.error()));
  return std::unique_ptr<FilesForRepair>(
      new FilesForRepair(std::move(*image), std::move(open_data_file), std::move(open_backing), false));
}

Inputs FilesForRepair::inputs() {
  return inputs(*image_);
}

Inputs FilesForRepair::inputs(const Device& image) {
  return {image, [this](const std::string& name) { return open_data_file(name); }, follow_backing_};
}

Companion FilesForRepair::open_data_file(const std::string& name) {
  const bool is_other = found_ && found_->state != Companion::State::open && name != asked_;
  if (!found_ || (is_other && trouble_.empty())) find_data_file(name);
  Companion companion{
      .state = found_->state, .path = found_->path, .why = found_->why, .identity = found_->identity};
  const Device* device = data_file_ ? data_file_.get() : found_->device.get();
  if (device) companion.device = std::make_unique<BorrowedDevice>(*device, stop_);
  return companion;
}

void FilesForRepair::find_data_file(const std::string& name) {
  found_ = follow_data_file_(name);
  asked_ = name;
  if (found_->state != Companion::State::open || !repairs_data_file_) return;
  // An image that is its own data file: the checker says so, and nothing is repaired.
  if (found_->device->identity() == image_->identity()) return;
  auto opened = FileWritableDevice::open(found_->path);
  if (!opened)
    trouble_ = opened.error().message;
  else if ((*opened)->identity() != found_->device->identity())
    trouble_ = found_->path + " was replaced while it was opened";
  else
    trouble_ = lock(**opened);
  found_->device.reset();
  if (trouble_.empty()) {
    data_file_ = std::move(*opened);
  } else {
    found_->state = Companion::State::missing;
    found_->why = trouble_;
  }
}

}  // namespace cowvet
