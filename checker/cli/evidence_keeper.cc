#include "checker/cli/evidence_keeper.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "checker/cli/command_line.h"
#include "checker/device/borrowed_device.h"
#include "checker/device/file_device.h"
#include "checker/report/digest.h"

namespace cowvet {
namespace {

std::int64_t nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

// Nothing for what is not a file of this machine.
std::optional<FileTimes> times_of(const Device& device) {
  const auto* file = dynamic_cast<const FileDevice*>(&device);
  struct stat status{};
  if (file == nullptr || fstat(file->descriptor(), &status) != 0) return std::nullopt;
  return FileTimes{nanoseconds(status.st_atim), nanoseconds(status.st_mtim), nanoseconds(status.st_ctim)};
}

Finding finding_about(RuleId id, File file, std::string detail) {
  Finding finding{.rule = id, .place = {.file = file}};
  finding.detail = std::move(detail);
  return finding;
}

std::string describe_change(const Evidence& evidence) {
  const FileState& before = evidence.before;
  const FileState& after = evidence.after;
  if (before.size_bytes != after.size_bytes)
    return fmt::format("{} changed while it was examined: from {} bytes to {}", evidence.path,
                       before.size_bytes, after.size_bytes);
  if (before.sha256 != after.sha256)
    return fmt::format("{} changed while it was examined: its bytes are others", evidence.path);
  return fmt::format("{} changed while it was examined: its bytes are the same again, its times are not",
                     evidence.path);
}

}  // namespace

std::unique_ptr<Device> EvidenceKeeper::keep(File file, std::string path, std::unique_ptr<Device> device) {
  // A plan is made in several readings of the same files.
  const auto same = std::ranges::find_if(kept_, [&](const Kept& kept) {
    return device->identity() && kept.device->identity() == device->identity();
  });
  if (same != kept_.end()) return std::make_unique<BorrowedDevice>(*same->device);
  Kept& kept = kept_.emplace_back(std::move(device), Evidence{.file = file, .path = std::move(path)});
  if (const auto* on_disk = dynamic_cast<const FileDevice*>(kept.device.get());
      on_disk != nullptr && !on_disk->keeps_access_time())
    print_error(fmt::format("{}: its access time may change, because only its owner may keep it from that",
                            kept.evidence.path));
  // The times first: a change in the midst of this shows against those of afterwards.
  const auto times = times_of(*kept.device);
  kept.evidence.before = state_of(*kept.device, kept.evidence);
  kept.evidence.before.times = times;
  return std::make_unique<BorrowedDevice>(*kept.device);
}

Companion EvidenceKeeper::keep(File file, Companion companion) {
  if (companion.device) companion.device = keep(file, companion.path, std::move(companion.device));
  return companion;
}

OpenCompanion EvidenceKeeper::keeping(File file, OpenCompanion open) {
  return [this, file, open = std::move(open)](const std::string& name) { return keep(file, open(name)); };
}

void EvidenceKeeper::close(Report& report) {
  for (Kept& kept : kept_) {
    Evidence& evidence = kept.evidence;
    if (auto* file = dynamic_cast<FileDevice*>(kept.device.get()))
      if (const int code = file->refresh(); code != 0)
        findings_.push_back(finding_about(rule("file/unreadable"), evidence.file,
                                          fmt::format("{}: {}", evidence.path, describe_errno(code))));
    evidence.after = state_of(*kept.device, evidence);
    evidence.after.times = times_of(*kept.device);
    if (evidence.changed())
      findings_.push_back(finding_about(rule("file/changed"), evidence.file, describe_change(evidence)));
    report.evidence.push_back(evidence);
  }
  for (Finding& finding : findings_) add_finding(report, std::move(finding));
  findings_.clear();
}

// All but the times.
FileState EvidenceKeeper::state_of(const Device& device, const Evidence& evidence) {
  FileState state{.size_bytes = device.size_bytes()};
  if (const auto digest = sha256_of_device(device, &progress_)) {
    state.sha256 = to_hex(*digest);
  } else {
    Finding finding = finding_about(
        rule("file/unreadable"), evidence.file,
        fmt::format("{} has no digest: {}", evidence.path, describe_errno(digest.error().code)));
    finding.place.offset = digest.error().offset;
    finding.place.length = digest.error().length;
    findings_.push_back(std::move(finding));
  }
  return state;
}

void keep_evidence(OpenedImage& opened, const std::string& path, EvidenceKeeper& keeper) {
  opened.image = keeper.keep(File::image, path, std::move(opened.image));
  opened.open_data_file = keeper.keeping(File::data_file, std::move(opened.open_data_file));
}

}  // namespace cowvet
