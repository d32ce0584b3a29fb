#include "checker/cli/open_images.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <string_view>
#include <system_error>
#include <utility>

#include "checker/cli/command_line.h"
#include "checker/device/file_device.h"
#include "checker/device/follow.h"
#include "checker/device/journal_name.h"
#include "checker/device/locks.h"
#include "checker/device/nbd.h"
#include "checker/sandbox/sandbox.h"

namespace cowvet {

namespace po = boost::program_options;

namespace {

void print_remark(const std::string& path, std::string_view remark) {
  if (!remark.empty()) print_error(fmt::format("{}: {}", path, remark));
}

OpenCompanion with_remarks(OpenCompanion open) {
  return [open = std::move(open)](const std::string& name) {
    Companion companion = open(name);
    print_remark(companion.path, companion.remark);
    return companion;
  };
}

}  // namespace

void add_naming_options(po::options_description& list, ImageOptions& options) {
  list.add_options()("format,f", po::value(&options.format)->value_name("FORMAT"),
                     "the image's format: qcow2, and an error if it is not");
  list.add_options()("data-file", po::value(&options.data_file)->value_name("PATH"),
                     "the image's external data file, whatever the image calls it");
  list.add_options()("follow", po::value(&options.follow)->value_name("DIRECTORY"),
                     "open files that the image names below DIRECTORY; may be given several times");
}

void add_image_options(po::options_description& list, ImageOptions& options) {
  add_naming_options(list, options);
  options.offers_force_share = true;
  list.add_options()("force-share,U", po::bool_switch(&options.force_share),
                     "read an image that is in use; what is being written may look like damage");
  add_sandbox_options(list, options);
}

void add_sandbox_options(po::options_description& list, ImageOptions& options) {
  list.add_options()(
      "no-sandbox", po::bool_switch(&options.no_sandbox),
      "keep all rights of this process; else it gives up, where the kernel can see to it, all that "
      "reading an image does not need");
  list.add_options()("verbose,v", po::bool_switch(&options.verbose), "say what the process has given up");
}

void add_evidence_option(po::options_description& list, ImageOptions& options) {
  list.add_options()("evidence", po::bool_switch(&options.evidence),
                     "leave no trace on the files, not even a lock, and give their SHA-256 before and after; "
                     "an error (status 1) if they changed meanwhile");
}

void add_journal_option(po::options_description& list, ImageOptions& options) {
  list.add_options()("journal", po::value(&options.journal)->value_name("PATH"),
                     "where cowvet-repair was told to keep its journal (its --journal): one that is there is "
                     "said first, and PATH.kept is read as well");
}

std::string check_image_options(const ImageOptions& options, std::size_t images) {
  if (!options.format.empty() && options.format != "qcow2")
    return fmt::format("cowvet examines qcow2 images only, not '{}'", options.format);
  if (!options.data_file.empty() && images > 1)
    return fmt::format("--data-file names the data file of one image, not of {}", images);
  if (!options.journal.empty() && images > 1)
    return fmt::format("--journal is about the repairs of one image, not of {}", images);
  for (const std::string& directory : options.follow) {
    std::error_code ignored;
    if (!std::filesystem::is_directory(directory, ignored))
      return fmt::format("--follow takes a directory, and '{}' is none", directory);
  }
  return "";
}

namespace {

// What an image on a server names cannot be meant for this machine, unless the user says so.
std::expected<OpenedImage, OpenImageError> open_remote_image(const std::string& address,
                                                             const ImageOptions& options) {
  auto image = open_nbd(address);
  if (!image) return std::unexpected(OpenImageError{image.error()});
  const OpenCompanion not_here = [](const std::string& name) {
    return Companion{.state = Companion::State::not_followed,
                     .device = {},
                     .path = name,
                     .why = "the image that names it is on a server",
                     .remark = {},
                     .identity = {}};
  };
  OpenedImage opened{.image = std::move(*image), .open_data_file = not_here, .open_backing = not_here};
  if (!options.data_file.empty()) {
    FollowRules rules{.image_path = ".", .named_by_user = options.data_file, .follow_directories = {}};
    rules.locks = options.locks();
    opened.open_data_file = with_remarks(make_opener(std::move(rules)));
  }
  return opened;
}

OpenImageError in_use_error(const std::string& path, std::string_view why, const ImageOptions& options) {
  return {fmt::format("{}: {}{}", path, why, options.offers_force_share ? " (-U reads it all the same)" : ""),
          true};
}

}  // namespace

std::optional<std::string> look_who_uses(const std::string& path, const ImageOptions& options) {
  if (is_nbd_address(path) || options.force_share) return std::nullopt;
  const auto image = FileDevice::open(path);
  if (!image) return std::nullopt;
  const auto locks = look_at_locks((*image)->descriptor(), kImageCheckLocks);
  if (locks) return std::nullopt;
  return in_use_error(path, locks.error(), options).message;
}

std::expected<OpenedImage, OpenImageError> open_image(const std::string& path, const ImageOptions& options) {
  if (is_nbd_address(path)) return open_remote_image(path, options);
  auto image = FileDevice::open(path);
  if (!image) return std::unexpected(OpenImageError{image.error().message});
  const auto locks = use_locks((*image)->descriptor(), kImageCheckLocks, options.locks());
  if (!locks) return std::unexpected(in_use_error(path, locks.error(), options));
  print_remark(path, describe(*locks));

  FollowRules backing{.image_path = path, .follow_directories = options.follow};
  FollowRules data_file = backing;
  if (!options.data_file.empty()) data_file.named_by_user = options.data_file;
  data_file.locks = options.locks();
  return OpenedImage{.image = std::move(*image),
                     .open_data_file = with_remarks(make_opener(std::move(data_file))),
                     .open_backing = make_opener(std::move(backing))};
}  // NOLINT(clang-analyzer-cplusplus.NewDeleteLeaks): the callables are moved into what is returned

void enter_sandbox(const std::vector<std::string>& images, const ImageOptions& options,
                   const std::vector<std::string>& directories) {
  std::string in_force = "none, as asked for";
  if (!options.no_sandbox) {
    SandboxNeeds needs{.files = {options.data_file}, .directories = options.follow};
    std::ranges::copy(directories, std::back_inserter(needs.directories));
    if (!options.journal.empty()) needs.files.push_back(kept_path_beside(options.journal));
    for (const std::string& image : images) {
      if (is_nbd_address(image)) {
        needs.network = true;
      } else {
        need_image(needs, image);
        needs.files.push_back(kept_path_of(image));
        needs.files.push_back(journal_path_of(image));
      }
    }
    in_force = enter_sandbox(needs);
  }
  if (options.verbose) print_error(fmt::format("sandbox: {}", in_force));
}

}  // namespace cowvet
