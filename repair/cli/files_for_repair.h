// An image and its data file, opened for writing under QEMU's locks.
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "checker/analysis/analyze.h"
#include "checker/cli/open_images.h"
#include "repair/changes.h"
#include "repair/cli/outcome.h"
#include "repair/file_writable_device.h"

namespace cowvet {

class FilesForRepair {
 public:
  // Opens and locks the image. The error is an outcome: it failed, or was refused because somebody uses it.
  static std::expected<std::unique_ptr<FilesForRepair>, Outcome> open(const std::string& path,
                                                                      const ImageOptions& options);

  // The same for a copy, whose data file is that of the original, and only read.
  static std::expected<std::unique_ptr<FilesForRepair>, Outcome> open_copy(const std::string& path,
                                                                           OpenCompanion open_data_file,
                                                                           OpenCompanion open_backing);

  FileWritableDevice& image() const { return *image_; }

  // For the checker and the planner. The data file is opened and locked when it is first asked for, by the
  // same rules as for reading; once it is open it is the same one, whatever the image calls it.
  Inputs inputs();
  // The same, with another view of the image.
  Inputs inputs(const Device& image);

  Companion open_data_file(const std::string& name);

  // Why a data file that is there cannot be repaired; empty: it can, or there is none.
  const std::string& trouble() const { return trouble_; }

  // For the transaction: those that are open.
  RepairFiles files() const { return {*image_, data_file_.get()}; }

  // Reads of the data file by a check fail from when `stop` is true.
  void set_stop(std::function<bool()> stop) { stop_ = std::move(stop); }

 private:
  FilesForRepair(std::unique_ptr<FileWritableDevice> image, OpenCompanion data_file, OpenCompanion backing,
                 bool repairs_data_file)
      : image_(std::move(image)),
        follow_data_file_(std::move(data_file)),
        follow_backing_(std::move(backing)),
        repairs_data_file_(repairs_data_file) {}

  void find_data_file(const std::string& name);

  std::unique_ptr<FileWritableDevice> image_;
  OpenCompanion follow_data_file_;
  OpenCompanion follow_backing_;
  bool repairs_data_file_;
  std::optional<Companion> found_;  // the data file, once it was asked for; its device is `data_file_`
  std::string asked_;               // by this name
  std::unique_ptr<FileWritableDevice> data_file_;
  std::string trouble_;
  std::function<bool()> stop_;
};

}  // namespace cowvet
