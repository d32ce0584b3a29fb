#include "checker/cli/open_images.h"

#include <fmt/format.h>

#include <utility>

#include "checker/device/file_device.h"
#include "checker/device/locks.h"

namespace cowvet {

namespace po = boost::program_options;

void add_image_options(po::options_description& list, ImageOptions& options) {
  list.add_options()  //
      ("format,f", po::value(&options.format)->value_name("FORMAT"),
       "the image's format: qcow2, and an error if it is not")  //
      ("force-share,U", po::bool_switch(&options.force_share),
       "read an image that is in use; what is being written may look like damage");
}

std::string check_image_options(const ImageOptions& options) {
  if (!options.format.empty() && options.format != "qcow2")
    return fmt::format("cowvet examines qcow2 images only, not '{}'", options.format);
  return "";
}

std::expected<OpenedImage, std::string> open_image(const std::string& path, const ImageOptions& options) {
  auto image = FileDevice::open(path);
  if (!image) return std::unexpected(image.error().message);
  if (!options.force_share)
    if (const auto locks = take_locks((*image)->descriptor(), kImageCheckLocks); !locks)
      return std::unexpected(fmt::format("{}: {} (-U reads it all the same)", path, locks.error()));
  return OpenedImage{.image = std::move(*image), .open_data_file = {}, .open_backing = {}};
}

}  // namespace cowvet
