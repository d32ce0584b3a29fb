// A new file with the content of an image, under another name until it is complete.
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <string>

#include "checker/device/device.h"

namespace cowvet {

class ImageCopy {
 public:
  // Shares the blocks of the original where the file system can, and keeps its holes. `new_path` must not
  // exist. The error is a sentence; nothing stays behind then.
  static std::expected<std::unique_ptr<ImageCopy>, std::string> make(const Device& original,
                                                                     const std::string& new_path,
                                                                     const std::function<bool()>& stop);
  ImageCopy(const ImageCopy&) = delete;
  ImageCopy& operator=(const ImageCopy&) = delete;
  // Removes what was not published.
  ~ImageCopy();

  // Where it is until then: "NEW.cowvet-partial".
  const std::string& path() const { return path_; }

  // Gives it its name, durably. An error where that is taken by now.
  std::expected<void, std::string> publish();

 private:
  ImageCopy(std::string path, std::string new_path)
      : path_(std::move(path)), new_path_(std::move(new_path)) {}

  std::string path_;
  std::string new_path_;
  bool is_published_ = false;
};

}  // namespace cowvet
