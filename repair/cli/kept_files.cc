#include "repair/cli/kept_files.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "checker/device/journal_name.h"
#include "checker/planning/kept_record.h"
#include "repair/changes.h"
#include "repair/kept_record_file.h"

namespace cowvet {
namespace {

std::string beside_journal(const RepairOptions& options) {
  return options.journal.empty() ? "" : kept_path_beside(options.journal);
}

}  // namespace

void drop_stale_records(const RepairOptions& options, const Outcome& outcome) {
  const bool is_settled = outcome.ending == Ending::repaired || outcome.ending == Ending::nothing_to_do;
  const auto& report = outcome.left ? outcome.left : outcome.found;
  if (!is_settled || !report || !report->header_usable || report->worst == Severity::unchecked ||
      report->kept_leaks != 0)
    return;
  const std::string undo =
      options.journal.empty() ? undo_path_of(options.image_path) : options.journal + ".undo";
  for (const std::string& file : {undo, undo_path_of(options.image_path)})
    if (std::error_code unseen; std::filesystem::exists(file, unseen) || unseen) return;
  for (const std::string& path : {kept_path_of(options.image_path), beside_journal(options)}) {
    if (path.empty()) continue;
    const auto record = read_kept_record(path);
    if (record && !record->empty()) std::ignore = write_kept_record(path, {});
  }
}

std::expected<KeptFile, std::string> KeptFile::write(const RepairOptions& options, bool is_block_device,
                                                     const std::vector<KeptRun>& runs) {
  KeptFile written;
  if (runs.empty()) return written;
  const std::string& image = options.output.empty() ? options.image_path : options.output;
  std::string why;
  for (const std::string& path : {is_block_device ? "" : kept_path_of(image), beside_journal(options)}) {
    if (path.empty()) continue;
    auto before = read_kept_record(path);
    if (!before) return std::unexpected(before.error());
    const std::vector<KeptRun> all = join_kept(*before, runs);
    if (all == *before) return written;
    const auto done = write_kept_record(path, all);
    if (done) {
      written.path_ = path;
      written.before_ = std::move(*before);
      return written;
    }
    why = describe_io_error("write", path, done.error());
  }
  return std::unexpected(
      "clusters that may hold lost data are kept, and which ones cannot be recorded (" + why +
      "); --journal PATH records them in PATH.kept, and --choose refcount/leak=free gives them up");
}

void KeptFile::take_back() const {
  if (!path_.empty()) std::ignore = write_kept_record(path_, before_);
}

}  // namespace cowvet
