// cowvet unpack: an image from a pack. Writes new files only: never into anything that is there.
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <vector>

#include "checker/analysis/bytes.h"
#include "checker/cli/command_line.h"
#include "checker/cli/commands.h"
#include "checker/cli/input_file.h"
#include "checker/cli/new_file.h"
#include "checker/cli/open_images.h"
#include "checker/device/file_device.h"
#include "checker/device/write_fully.h"
#include "checker/pack/pack_format.h"

namespace cowvet {
namespace {

namespace po = boost::program_options;

constexpr std::string_view kHelp =
    "Makes an image from a pack of 'cowvet pack': a sparse file of the size that it had, with its metadata "
    "and\n"
    "without guest data. cowvet check says of it what it said of the image. A pack may come from anybody: "
    "only\n"
    "new files are written, and not more than --max-size.\n";

struct UnpackOptions {
  std::string output;
  std::string data_file;
  std::uint64_t most_bytes = 0;
  ImageOptions rights;  // about the sandbox only
};

using Done = std::expected<void, std::string>;

using Made = std::expected<NewFile, std::string>;

// The files that a pack becomes; gone again unless all of it arrived. Both are made before anything of the
// pack is read (see sandbox.h).
class NewFiles {
 public:
  explicit NewFiles(const UnpackOptions& options)
      : image_path_(options.output),
        data_file_path_(options.data_file),
        image_(NewFile::make(image_path_, "the image")),
        data_file_(NewFile::make(data_file_path_, "the data file")) {}

  Done begin(PackedFile file, std::uint64_t size_bytes) {
    if (file == PackedFile::image_as_data_file) {
      hint_ = image_path_;
      return {};
    }
    const bool image = file == PackedFile::image;
    current_ = image ? &image_ : &data_file_;
    path_ = image ? image_path_ : data_file_path_;
    if (!image) hint_ = path_;
    if (!*current_) return std::unexpected(current_->error());
    if (ftruncate((*current_)->descriptor(), static_cast<off_t>(size_bytes)) != 0)
      return failed("cannot be so long", errno);
    begun_.push_back(&**current_);
    return {};
  }

  // Zeros stay holes.
  Done write(std::uint64_t offset, std::span<const std::byte> bytes) {
    constexpr std::size_t kPageBytes = 4096;
    while (!bytes.empty()) {
      const auto page = bytes.first(std::min<std::size_t>(bytes.size(), kPageBytes - offset % kPageBytes));
      if (leading_zeros(page) != page.size())
        if (const Done done = write_all(offset, page); !done) return done;
      offset += page.size();
      bytes = bytes.subspan(page.size());
    }
    return {};
  }

  Done keep() {
    for (NewFile* file : begun_)
      if (std::string wrong = file->keep(); !wrong.empty()) return std::unexpected(std::move(wrong));
    return {};
  }
  // What to name as the data file when the image is checked; empty: nothing.
  const std::string& hint() const { return hint_; }

 private:
  Done failed(std::string_view what, int code) const {
    return std::unexpected(fmt::format("{} {}: {}", path_, what, describe_errno(code)));
  }
  Done write_all(std::uint64_t offset, std::span<const std::byte> bytes) const {
    if (const auto written = write_fully((*current_)->descriptor(), offset, bytes); !written)
      return failed("cannot be written", written.error().code);
    return {};
  }

  std::string image_path_;
  std::string data_file_path_;
  Made image_;
  Made data_file_;
  Made* current_ = nullptr;  // what is written now
  std::string path_;         // of it
  std::vector<NewFile*> begun_;
  std::string hint_;
};

int unpack_file(const std::string& path, const UnpackOptions& options) {
  auto in = open_input(path, "the pack");
  if (!in) {
    print_error(in.error());
    return kExitIncomplete;
  }
  NewFiles files(options);
  enter_sandbox({}, options.rights);
  const PackSink sink{.begin = [&](PackedFile file, std::uint64_t size) { return files.begin(file, size); },
                      .write = [&](std::uint64_t offset,
                                   std::span<const std::byte> bytes) { return files.write(offset, bytes); }};
  Done done = read_pack(*in, options.most_bytes, sink);
  if (done) done = files.keep();
  if (!done) {
    print_error(fmt::format("{}: {}", path, done.error()));
    return kExitIncomplete;
  }
  if (files.hint().empty()) return kExitSound;
  return print_out(
             fmt::format("The image has an external data file: check it with --data-file {}\n", files.hint()))
             ? kExitSound
             : kExitIncomplete;
}

}  // namespace

int run_unpack(const Arguments& arguments) {
  UnpackOptions options;
  std::string most = "16G";
  std::vector<std::string> packs;

  po::options_description listed("Options");
  listed.add_options()                                                                              //
      ("output,o", po::value(&options.output)->value_name("IMAGE"), "the new image file to write")  //
      ("data-file", po::value(&options.data_file)->value_name("PATH"),
       "the new data file to write, if one was packed (default: IMAGE.data)")  //
      ("max-size", po::value(&most)->value_name("SIZE"),
       "write at most so much, not counting holes (default 16G)");
  add_sandbox_options(listed, options.rights);
  listed.add_options()("help,h", "show this help");
  po::options_description all;
  all.add(listed).add_options()("pack", po::value(&packs));

  const auto wrong = [](std::string_view message) { return usage_error(message, "unpack"); };
  const auto values = parse_arguments(arguments, all, "pack");
  if (!values) return wrong(values.error());
  if (values->contains("help")) return print_help("unpack", kHelp, listed);
  if (packs.size() != 1) return wrong("one pack is needed");
  if (options.output.empty()) return wrong("--output is needed: where to write the image");
  const auto bytes = parse_size("max-size", most);
  if (!bytes) return wrong(bytes.error());
  options.most_bytes = *bytes;
  if (options.data_file.empty()) options.data_file = options.output + ".data";
  return unpack_file(packs.front(), options);
}

}  // namespace cowvet
