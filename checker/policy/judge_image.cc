// The chain is walked from the image down. Each member is opened by the rules of the policy, examined whole
// and judged like the image itself; what is wrong with it is said once, as a finding about the image.
#include "checker/policy/judge_image.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "checker/device/file_device.h"
#include "checker/device/follow.h"
#include "checker/format/endian.h"
#include "checker/policy/judge_content.h"
#include "checker/report/verdict.h"

namespace cowvet {
namespace {

class Chain {
 public:
  Chain(Report& top, const Judged& judged, const Policy& policy, const Options& options)
      : top_(top), judged_(judged), policy_(policy), options_(options), seen_{judged.image.identity()} {}

  void walk() {
    std::string path = judged_.path;
    Names above{top_.backing_name, top_.backing_format, top_.header.size};
    for (std::uint64_t depth = 0; !above.name.empty(); ++depth) {
      if (depth == policy_.backing_files) {
        add(Severity::unchecked,
            fmt::format("not verified: more than {} backing files", policy_.backing_files));
        return;
      }
      const auto below = examine_member(path, above);
      if (!below) return;
      path = below->first;
      above = below->second;
    }
  }

 private:
  // What an image says of the one behind it.
  struct Names {
    std::string name;
    std::string format;
    std::uint64_t disk_bytes = 0;
  };
  using Below = std::optional<std::pair<std::string, Names>>;

  // The member's path and what it says in turn; nothing: the chain ends here, or cannot be followed.
  Below examine_member(const std::string& path, const Names& above) {
    const Companion found =
        keep(File::backing_file, backing_opener(policy_, path, judged_.locks)(above.name));
    if (found.state != Companion::State::open) {
      const bool missing = found.state == Companion::State::missing;
      add(missing ? Severity::unchecked : Severity::corruption,
          fmt::format("backing file '{}': {}{}", above.name, missing ? "not verified: " : "", found.why));
      return std::nullopt;
    }
    const Device& device = *found.device;
    if (std::ranges::find(seen_, device.identity()) != seen_.end()) {
      add(Severity::corruption,
          fmt::format("backing file '{}': it is an image above it: a loop", above.name));
      return std::nullopt;
    }
    seen_.push_back(device.identity());
    top_.backing_examined = true;
    if (above.format == "qcow2") return examine_qcow2(device, found.path, above);
    examine_raw(device, above);
    return std::nullopt;
  }

  void examine_raw(const Device& device, const Names& above) {
    std::array<std::byte, 4> magic{};
    if (above.format.empty())
      return add(Severity::corruption,
                 fmt::format("backing file '{}': no format is declared: QEMU guesses", above.name));
    if (above.format != "raw")
      return add(Severity::corruption,
                 fmt::format("backing file '{}': the format '{}' is not allowed", above.name, above.format));
    if (const auto read = device.read(0, magic); !read)
      return add(Severity::unchecked, fmt::format("backing file '{}': not verified: {}", above.name,
                                                  describe_errno(read.error().code)));
    if (load_big_endian<std::uint32_t>(magic.data()) == kMagic)
      add(Severity::corruption,
          fmt::format("backing file '{}': declared raw, but it is a qcow2 image", above.name));
    compare_sizes(device.size_bytes(), above);
  }

  Below examine_qcow2(const Device& device, const std::string& path, const Names& above) {
    const auto open_data_file = [&](const std::string& name) {
      return keep(File::data_file, data_file_opener(policy_, path, judged_.locks)(name));
    };
    const Inputs inputs{device, open_data_file, backing_opener(policy_, path, LockUse::none)};
    const Report report = analyze(inputs, options_);
    const std::string prefix = fmt::format("backing file '{}': ", above.name);
    for (Finding& finding :
         judge_content(report, device, policy_, {.file = File::backing_file, .prefix = prefix}))
      add_finding(top_, std::move(finding));
    if (!report.is_qcow2) return std::nullopt;
    if (const Verdict verdict = verdict_of(report); report.worst != Severity::notice)
      // Space that a backing file wastes harms nobody who reads it.
      add(report.worst == Severity::leak ? Severity::notice : report.worst,
          fmt::format("{}{} ({})", prefix,
                      report.worst == Severity::leak ? "allowed, but it wastes space" : "it is not sound",
                      to_string(verdict)));
    if (report.header_usable) compare_sizes(report.header.size, above);
    if (report.header.backing_file_offset == 0 || !report.header_usable) return std::nullopt;
    return std::pair{path, Names{report.backing_name, report.backing_format, report.header.size}};
  }

  // Behind a shorter one, the image above reads zeros, as after it was made larger.
  void compare_sizes(std::uint64_t disk_bytes, const Names& above) {
    if (disk_bytes > above.disk_bytes)
      add(Severity::notice,
          fmt::format(
              "backing file '{}': allowed, but its disk has {} bytes, more than the {} of the image above it",
              above.name, disk_bytes, above.disk_bytes));
  }

  Companion keep(File file, Companion companion) const {
    return judged_.keep ? judged_.keep(file, std::move(companion)) : std::move(companion);
  }

  void add(Severity severity, std::string detail) {
    Finding finding{.rule = rule("policy/backing-file"), .severity = severity, .place = {}};
    finding.place.file = File::backing_file;
    finding.detail = std::move(detail);
    add_finding(top_, std::move(finding));
  }

  Report& top_;
  const Judged& judged_;
  const Policy& policy_;
  const Options& options_;
  std::vector<std::optional<FileIdentity>> seen_;
};

OpenCompanion opener_below(const std::vector<std::string>& directories, const std::string& path,
                           LockUse locks) {
  return make_opener({.image_path = path,
                      .named_by_user = {},
                      .follow_directories = directories,
                      .own_directory = false,
                      .locks = locks});
}

}  // namespace

OpenCompanion backing_opener(const Policy& policy, const std::string& path, LockUse locks) {
  return opener_below(policy.backing_directories, path, locks);
}

OpenCompanion data_file_opener(const Policy& policy, const std::string& path, LockUse locks) {
  return opener_below(policy.data_file_directories, path, locks);
}

void judge_image(Report& report, const Judged& judged, const Policy& policy, const Options& options) {
  for (Finding& finding : judge_content(report, judged.image, policy,
                                        {.data_file_named_by_user = judged.data_file_named_by_user}))
    add_finding(report, std::move(finding));
  if (!report.header_usable || report.header.backing_file_offset == 0) return;
  if (policy.backing_directories.empty()) return;  // refused: nothing is opened
  Chain(report, judged, policy, options).walk();
}

}  // namespace cowvet
