#include "checker/policy/judge_content.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "checker/device/file_device.h"
#include "checker/device/follow.h"
#include "checker/policy/other_formats.h"

namespace cowvet {
namespace {

class Judge {
 public:
  Judge(const Report& report, const Policy& policy, const ContentJudging& judging)
      : report_(report), header_(report.header), policy_(policy), judging_(judging) {}

  void judge_format(const Device& device) {
    if (!report_.is_qcow2) add(rule("policy/not-qcow2"), "it is not a qcow2 image");
    const auto formats = find_other_formats(device);
    if (!formats) {
      add(rule("policy/not-qcow2"), "not verified: whether it is another format, too, could not be read",
          formats.error().offset, Severity::unchecked);
      return;
    }
    for (const OtherFormat& format : *formats)
      if (!format.partition_table || !policy_.partition_table)
        add(rule("policy/not-qcow2"), fmt::format("it is also {}", format.name), format.offset);
  }

  void judge_header() {
    const std::uint64_t unknown = header_.incompatible_features & ~kIncompatibleKnown;
    if (unknown != 0)
      add(rule("policy/unknown-feature"), fmt::format("incompatible features {:#x}", unknown), 72);
    if (header_.is_dirty() && !policy_.dirty) add(rule("policy/dirty"), "the dirty bit is set", 72);
    if (header_.crypt_method != 0 &&
        (header_.crypt_method != std::to_underlying(CryptMethod::luks) || !policy_.luks))
      add(rule("policy/encrypted"), fmt::format("encryption method {}", header_.crypt_method), 32);
    if (header_.nb_snapshots != 0 && !policy_.snapshots)
      add(rule("policy/snapshot-present"), fmt::format("number of snapshots: {}", header_.nb_snapshots), 60);
    judge_sizes();
  }

  // Each of bit, name and raw bit alone: QEMU versions differ in what they make of half of them.
  void judge_data_file() {
    const std::string& name = report_.data_file_name;
    if (!header_.has_data_file() && name.empty() && !header_.is_raw_data()) return;
    if (policy_.data_file_directories.empty()) {
      add(rule("policy/data-file"),
          name.empty() ? "external data files are not allowed" : fmt::format("data file '{}'", name));
    } else if (!header_.has_data_file()) {
      add(rule("policy/data-file"), "a data file's name or raw bit without the feature bit");
    } else if (report_.data_file_path.empty()) {
      add(rule("policy/data-file"), fmt::format("not verified: the data file '{}' was not examined", name), 0,
          Severity::unchecked);
    }
    if (!judging_.data_file_named_by_user) judge_data_file_name(name);
  }

  void judge_backing_name() {
    const bool named = header_.backing_file_offset != 0;
    if (!named && report_.backing_format.empty()) return;
    if (policy_.backing_directories.empty() || !named)
      add(rule("policy/backing-file"), named ? fmt::format("backing file '{}'", report_.backing_name)
                                             : "the format of a backing file, but none is named");
    const NameKind kind = judge_name(report_.backing_name);
    const bool allowed_path = (kind == NameKind::absolute || kind == NameKind::escapes) &&
                              !policy_.backing_directories.empty();  // the walk decides
    if (named && kind != NameKind::plain && !allowed_path)
      add(rule("policy/name-unsafe"),
          fmt::format("the backing file's name '{}' {}", report_.backing_name, describe_name(kind)), 8);
  }

  std::vector<Finding> take() { return std::move(findings_); }

 private:
  void judge_sizes() {
    if (header_.size > policy_.virtual_bytes)
      add(rule("policy/oversized"),
          fmt::format("the guest's disk has {} bytes, of at most {}", header_.size, policy_.virtual_bytes),
          24);
    if (report_.image_bytes > policy_.file_bytes)
      add(rule("policy/oversized"),
          fmt::format("the file has {} bytes, of at most {}", report_.image_bytes, policy_.file_bytes));
  }

  // QEMU looks for a relative name in its working directory: nobody can say here which file that will be.
  void judge_data_file_name(const std::string& name) {
    const NameKind kind = judge_name(name);
    const bool allowed = kind == NameKind::absolute && !policy_.data_file_directories.empty();
    if (allowed || (kind == NameKind::empty && !header_.has_data_file())) return;
    add(rule("policy/name-unsafe"),
        fmt::format(
            "the data file's name '{}' {}", name,
            kind == NameKind::plain ? "is relative to wherever QEMU is started" : describe_name(kind)));
  }

  void add(RuleId id, const std::string& detail, std::uint64_t offset = 0,
           Severity severity = Severity::corruption) {
    Finding finding{.rule = id, .severity = severity, .place = {}};
    finding.place.file = judging_.file;
    finding.place.offset = offset;
    finding.detail = judging_.prefix + detail;
    findings_.push_back(std::move(finding));
  }

  const Report& report_;
  const Header& header_;
  const Policy& policy_;
  const ContentJudging& judging_;
  std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> judge_content(const Report& report, const Device& device, const Policy& policy,
                                   const ContentJudging& judging) {
  Judge judge(report, policy, judging);
  judge.judge_format(device);
  if (report.is_qcow2) {
    judge.judge_header();
    judge.judge_data_file();
    judge.judge_backing_name();
  }
  return judge.take();
}

}  // namespace cowvet
