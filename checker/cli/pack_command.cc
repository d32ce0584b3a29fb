// cowvet pack: an image without guest data, for a bug report.
#include <fmt/format.h>

#include <filesystem>
#include <string>
#include <vector>

#include "checker/cli/command_line.h"
#include "checker/cli/commands.h"
#include "checker/cli/new_file.h"
#include "checker/cli/open_images.h"
#include "checker/pack/blank_image.h"
#include "checker/pack/pack_format.h"
#include "checker/report/numbers.h"

namespace cowvet {
namespace {

namespace po = boost::program_options;

constexpr std::string_view kHelp =
    "Packs what cowvet check needs of an image into a small file: its metadata. Guest data is left out; "
    "what\n"
    "the check looks at of it is replaced. 'cowvet unpack' makes an image of it of which cowvet check says "
    "the\n"
    "same. Whether that is so is tried before anything is written. Exit status:\n"
    "  0   packed\n"
    "  1   not packed, or some findings cannot be reproduced, or the command line is wrong\n"
    "  63  not a qcow2 image\n";

struct PackOptions {
  ImageOptions image;
  BlankOptions blank;
  std::string output;
};

// Empty, or what went wrong.
std::string write_pack(const BlankImage& blank, NewFile& file) {
  PackWriter writer(file.stream());
  writer.add(PackedFile::image, blank.image->content);
  if (blank.data_file) writer.add(PackedFile::data_file, blank.data_file->content);
  if (blank.data_file_is_image) writer.add_image_as_data_file();
  writer.finish();
  return file.keep();
}

// Why the pack would be of no use, or the user has to agree first; empty: nothing.
std::string objection(const BlankImage& blank, const PackOptions& options) {
  if (blank.differences.empty() || options.blank.keep_doubtful || blank.doubtful_clusters == 0) return "";
  return fmt::format(
      "not packed: {} may be metadata or guest data, and without {} content the findings would not be the "
      "same ({}); --keep-doubtful packs {} as well",
      counted(blank.doubtful_clusters, "cluster", "clusters"), blank.doubtful_clusters == 1 ? "its" : "their",
      fmt::join(blank.differences, ", "), blank.doubtful_clusters == 1 ? "it" : "them");
}

std::string summary(const std::string& path, const BlankImage& blank, const PackOptions& options) {
  std::error_code ignored;
  const std::uint64_t bytes = std::filesystem::file_size(options.output, ignored);
  std::string text = fmt::format("{}: {} that say the same as {}", options.output, human_bytes(bytes), path);
  if (options.blank.keep_doubtful && blank.doubtful_clusters != 0)
    return text + fmt::format(". Guest data may be in {} of doubtful use that {} kept.\n",
                              counted(blank.doubtful_clusters, "cluster", "clusters"),
                              blank.doubtful_clusters == 1 ? "was" : "were");
  return text + ", without guest data.\n";
}

int pack_image(const std::string& path, const PackOptions& options) {
  auto file = NewFile::make(options.output, "the pack");
  if (!file) {
    print_error(file.error());
    return kExitIncomplete;
  }
  const auto opened = open_image(path, options.image);
  if (!opened) {
    print_error(opened.error().message);
    return kExitIncomplete;
  }
  enter_sandbox({path}, options.image);
  const BlankImage blank = blank_image(opened->inputs(), options.blank);
  if (!blank.is_qcow2) {
    print_error(fmt::format("{}: not a qcow2 image", path));
    return kExitNotQcow2;
  }
  std::string wrong = objection(blank, options);
  if (wrong.empty()) wrong = write_pack(blank, *file);
  if (!wrong.empty()) {
    print_error(fmt::format("{}: {}", path, wrong));
    return kExitIncomplete;
  }
  if (!blank.differences.empty())
    print_error(fmt::format("{}: what cowvet says of these will not be the same once unpacked: {}", path,
                            fmt::join(blank.differences, ", ")));
  const bool printed = print_out(summary(path, blank, options));
  return printed && blank.differences.empty() ? kExitSound : kExitIncomplete;
}

}  // namespace

int run_pack(const Arguments& arguments) {
  PackOptions options;
  bool no_data = false;
  std::string threads = "0";
  std::vector<std::string> images;

  po::options_description listed("Options");
  listed.add_options()("output,o", po::value(&options.output)->value_name("PACK"), "the new file to write");
  add_image_options(listed, options.image);
  listed.add_options()  //
      ("blank-names", po::bool_switch(&options.blank.blank_names),
       "also make the names of snapshots, bitmaps and other files unreadable")  //
      ("keep-doubtful", po::bool_switch(&options.blank.keep_doubtful),
       "keep clusters of which damage hides whether they are metadata or guest data")  //
      ("deep", po::bool_switch(&options.blank.analysis.deep),
       "so that cowvet check --deep says the same, too: compressed clusters are replaced by others")  //
      ("no-data", po::bool_switch(&no_data),
       "do not read the content of an external data file")  //
      ("threads", po::value(&threads)->value_name("N"),
       "threads to use (default: one for each processor)")  //
      ("help,h", "show this help");
  po::options_description all;
  all.add(listed).add_options()("image", po::value(&images));

  const auto wrong = [](std::string_view message) { return usage_error(message, "pack"); };
  const auto values = parse_arguments(arguments, all, "image");
  if (!values) return wrong(values.error());
  if (values->contains("help")) return print_help("pack", kHelp, listed);
  if (images.size() != 1) return wrong("one image is needed");
  if (options.output.empty()) return wrong("--output is needed: where to write the pack");
  if (const auto message = check_image_options(options.image, 1); !message.empty()) return wrong(message);
  const auto count = parse_threads(threads);
  if (!count) return wrong(count.error());
  options.blank.analysis.threads = *count;
  options.blank.analysis.guest_data = !no_data;
  return pack_image(images.front(), options);
}

}  // namespace cowvet
