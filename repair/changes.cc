#include "repair/changes.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <utility>

#include "checker/device/file_device.h"
#include "checker/format/units.h"
#include "checker/planning/planned_files.h"
#include "repair/changed_blocks.h"
#include "repair/corrupt_mark.h"

namespace cowvet {
namespace {

constexpr std::uint64_t kBoundBytes = std::uint64_t{64} << 10;

using Done = std::expected<void, std::string>;

// Before the journal: the files are old, and the plan knows what will be new.
class PlannedBytes final : public ChangeBytes {
 public:
  explicit PlannedBytes(std::unique_ptr<PlannedFiles> files) : files_(std::move(files)) {}

  Done read(const Change& change, Side side, std::span<std::byte> out) const override {
    const OverlayDevice& planned = files_->of(change.target);
    const Device& device = side == Side::new_bytes ? static_cast<const Device&>(planned) : planned.below();
    if (auto read = device.read(change.offset, out); !read)
      return std::unexpected(describe_io_error("read", device.name(), read.error()));
    return {};
  }

 private:
  std::unique_ptr<PlannedFiles> files_;
};

class SwappedBytes final : public ChangeBytes {
 public:
  explicit SwappedBytes(std::shared_ptr<const ChangeBytes> bytes) : bytes_(std::move(bytes)) {}

  Done read(const Change& change, Side side, std::span<std::byte> out) const override {
    return bytes_->read(change, side == Side::old_bytes ? Side::new_bytes : Side::old_bytes, out);
  }

 private:
  std::shared_ptr<const ChangeBytes> bytes_;
};

Done check_file(const Binding& binding, const Device& device, std::uint64_t after) {
  if (binding.identity && device.identity() && binding.identity != device.identity())
    return std::unexpected(fmt::format("{}: the plan was made for another file", device.name()));
  if (binding.size_bytes != device.size_bytes())
    return std::unexpected(fmt::format("{}: the plan was made when it had {} bytes, now it has {}",
                                       device.name(), binding.size_bytes, device.size_bytes()));
  if (after < binding.size_bytes)
    return std::unexpected(fmt::format("{}: the plan would cut it", device.name()));
  if (after > binding.size_bytes && device.is_block_device())
    return std::unexpected(fmt::format("{}: the plan needs {} bytes more, and a block device cannot grow",
                                       device.name(), after - binding.size_bytes));
  return {};
}

Done check_files(const Plan& plan, const RepairFiles& files) {
  if (auto fits = check_file(plan.image, files.image, plan.image_bytes_after); !fits) return fits;
  if (!plan.data_file) return {};
  if (files.data_file == nullptr)
    return std::unexpected("the plan changes a data file, which was not opened");
  if (files.image.identity() && files.image.identity() == files.data_file->identity())
    return std::unexpected("the data file is the image itself");
  return check_file(*plan.data_file, *files.data_file, plan.data_file_bytes_after);
}

std::expected<ChangedFile, std::string> bind_file(const Binding& binding, const Device& device, File target,
                                                  std::uint64_t size_after,
                                                  const std::vector<Change>& changes) {
  const auto hash = hash_unchanged(device, target, changes, binding.size_bytes);
  if (!hash) return std::unexpected(describe_io_error("read", device.name(), hash.error()));
  return ChangedFile{binding.path, device.identity(), binding.size_bytes, size_after, *hash};
}

}  // namespace

std::expected<std::vector<std::byte>, std::string> Changes::read(const Change& change, Side side) const {
  std::vector<std::byte> all(change.length);
  if (auto done = bytes->read(change, side, all); !done) return std::unexpected(done.error());
  return all;
}

const Change* Changes::header() const {
  return !changes.empty() && holds_header(changes.front()) ? &changes.front() : nullptr;
}

std::expected<std::vector<std::byte>, std::string> Changes::read_header(Side side) const {
  const Change* change = header();
  return change ? read(*change, side) : std::vector<std::byte>();
}

std::expected<Changes, std::string> make_changes(const Plan& plan, const RepairFiles& files,
                                                 std::string note) {
  if (!plan.unfit.empty()) return std::unexpected("the plan must not be applied: " + plan.unfit);
  if (auto fits = check_files(plan, files); !fits) return std::unexpected(fits.error());
  auto planned = std::make_unique<PlannedFiles>(files.image, plan.data_file ? files.data_file : nullptr);
  if (std::string wrong = planned->apply(plan); !wrong.empty()) return std::unexpected(std::move(wrong));
  auto changed = find_changed_blocks(plan, *planned);
  if (!changed) return std::unexpected(changed.error());

  Changes changes{.changes = std::move(*changed), .note = std::move(note)};
  changes.bytes = std::make_shared<PlannedBytes>(std::move(planned));
  auto image = bind_file(plan.image, files.image, File::image, plan.image_bytes_after, changes.changes);
  if (!image) return std::unexpected(image.error());
  changes.image = std::move(*image);
  if (!plan.data_file) return changes;
  auto data_file = bind_file(*plan.data_file, *files.data_file, File::data_file, plan.data_file_bytes_after,
                             changes.changes);
  if (!data_file) return std::unexpected(data_file.error());
  changes.data_file = std::move(*data_file);
  return changes;
}

Changes reverse(Changes changes) {
  changes.bytes = std::make_shared<SwappedBytes>(std::move(changes.bytes));
  // Pointers go back first, to structures that are still there.
  for (Change& change : changes.changes)
    change.phase = change.phase == Phase::structures ? Phase::pointers : Phase::structures;
  std::swap(changes.image.old_size_bytes, changes.image.new_size_bytes);
  if (changes.data_file) std::swap(changes.data_file->old_size_bytes, changes.data_file->new_size_bytes);
  changes.note.clear();
  return changes;
}

std::expected<std::uint64_t, IoError> hash_unchanged(const Device& device, File target,
                                                     const std::vector<Change>& changes,
                                                     std::uint64_t size_bytes) {
  const std::uint64_t end = std::min(kBoundBytes, size_bytes);
  std::vector<std::byte> bytes(end);
  if (auto read = device.read(0, bytes); !read) return std::unexpected(read.error());
  for (const Change& change : changes) {
    if (change.target != target || change.offset >= end) continue;
    const std::uint64_t length = std::min(change.length, end - change.offset);
    std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(change.offset), length, std::byte{0});
  }
  return XXH3_64bits(bytes.data(), bytes.size());
}

std::string describe_io_error(std::string_view verb, const std::string& name, const IoError& error) {
  const bool is_at_place = verb == "read" || verb == "write" || verb == "discard";
  const std::string place = is_at_place ? fmt::format(" at {:#x}", error.offset) : "";
  return fmt::format("cannot {} {}{}: {}", verb, name, place, describe_errno(error.code));
}

}  // namespace cowvet
