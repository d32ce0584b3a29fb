// Options that every command has which opens images, and the one place where images are opened: read-only,
// under QEMU's locks, and with the rules by which files that an image names are followed.
#pragma once

#include <boost/program_options.hpp>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "checker/analysis/analyze.h"
#include "checker/device/companion.h"
#include "checker/device/device.h"
#include "checker/device/locks.h"

namespace cowvet {

struct ImageOptions {
  std::string format;               // -f; empty: not given
  std::string data_file;            // --data-file; empty: what the image names
  std::vector<std::string> follow;  // --follow: directories
  std::string journal;              // --journal, as for cowvet-repair; empty: beside the image
  bool force_share = false;         // -U: no locks
  bool offers_force_share = false;  // the user could say -U
  bool no_sandbox = false;
  bool verbose = false;
  bool evidence = false;  // --evidence: nothing is left on the files, no locks either

  LockUse locks() const { return force_share ? LockUse::none : evidence ? LockUse::look : LockUse::take; }
};

// Adds -f, --data-file and --follow, which fill `options` when the command line is parsed.
void add_naming_options(boost::program_options::options_description& list, ImageOptions& options);
// These, -U and those about the sandbox, for who only reads.
void add_image_options(boost::program_options::options_description& list, ImageOptions& options);

void add_sandbox_options(boost::program_options::options_description& list, ImageOptions& options);
// And --evidence.
void add_evidence_option(boost::program_options::options_description& list, ImageOptions& options);
// And --journal, for who regards what a repair left.
void add_journal_option(boost::program_options::options_description& list, ImageOptions& options);

// What is wrong with the values, for people; empty: nothing.
std::string check_image_options(const ImageOptions& options, std::size_t images);

struct OpenedImage {
  std::unique_ptr<Device> image;
  OpenCompanion open_data_file;
  OpenCompanion open_backing;

  Inputs inputs() const { return {*image, open_data_file, open_backing}; }
};

struct OpenImageError {
  std::string message;  // for people, with the path in it
  bool in_use = false;
};

std::expected<OpenedImage, OpenImageError> open_image(const std::string& path, const ImageOptions& options);

// What open_image() would now say of an image that is in use; nothing: it is not, as far as can be seen.
std::optional<std::string> look_who_uses(const std::string& path, const ImageOptions& options);

// Once the first image is open (see sandbox.h; until then it can be said who holds an image that is in use),
// and before anything in it is read. `directories`: where else files may be followed.
void enter_sandbox(const std::vector<std::string>& images, const ImageOptions& options,
                   const std::vector<std::string>& directories = {});

}  // namespace cowvet
