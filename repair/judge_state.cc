#include "repair/judge_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "repair/applier.h"
#include "repair/corrupt_mark.h"

namespace cowvet {
namespace {

constexpr std::uint64_t kPieceBytes = std::uint64_t{1} << 20;

// Nothing but the inode: the number of a device may change from one mount to the next, and that of a block
// device from one start of the machine to the next.
bool may_be_same(const std::optional<FileIdentity>& then, const std::optional<FileIdentity>& now) {
  constexpr std::uint64_t kBlockDevices = 0;
  if (!then || !now) return true;
  return (then->device == kBlockDevices) == (now->device == kBlockDevices) &&
         (then->device == kBlockDevices || then->inode == now->inode);
}

std::expected<void, std::string> check_file(const ChangedFile& file, const Device& device, File target,
                                            const Changes& changes) {
  if (!may_be_same(file.identity, device.identity()))
    return std::unexpected(fmt::format("{} is another file than the journal was made for", device.name()));
  const auto [shorter, longer] = std::minmax(file.old_size_bytes, file.new_size_bytes);
  if (device.size_bytes() < shorter || device.size_bytes() > longer)
    return std::unexpected(fmt::format("{} has {} bytes, which is neither its old length nor its new one",
                                       device.name(), device.size_bytes()));
  const auto hash = hash_unchanged(device, target, changes.changes, shorter);
  if (!hash) return std::unexpected(describe_io_error("read", device.name(), hash.error()));
  if (*hash != file.bound_hash)
    return std::unexpected(
        fmt::format("the first bytes of {} are not those that the journal was made for", device.name()));
  return {};
}

class Judge {
 public:
  Judge(const Changes& changes, const RepairFiles& files) : changes_(changes), files_(files) {}

  std::expected<StateOnDisk, std::string> run() {
    if (auto done = judge_file(changes_.image, File::image); !done) return std::unexpected(done.error());
    if (changes_.data_file)
      if (auto done = judge_file(*changes_.data_file, File::data_file); !done)
        return std::unexpected(done.error());
    for (const Change& change : changes_.changes)
      if (auto done = judge_change(change); !done) return std::unexpected(done.error());
    if (auto done = look_at_header(); !done) return std::unexpected(done.error());
    return state_;
  }

 private:
  using Done = std::expected<void, std::string>;

  Done read(File target, std::uint64_t offset, std::span<std::byte> out) const {
    if (auto read = files_.of(target).read(offset, out); !read)
      return std::unexpected(describe_io_error("read", files_.of(target).name(), read.error()));
    return {};
  }

  Done judge_file(const ChangedFile& file, File target) {
    const Device& device = files_.of(target);
    if (auto fits = check_file(file, device, target, changes_); !fits) return fits;
    if (device.size_bytes() != file.old_size_bytes) state_.is_old = false;
    if (device.size_bytes() != file.new_size_bytes) state_.is_new = false;
    return judge_growth(target, std::min(file.old_size_bytes, file.new_size_bytes));
  }

  // Behind the shorter length, all that is not in the changes is zeros, or somebody else wrote there.
  Done judge_growth(File target, std::uint64_t begin) {
    for (const Change& change : changes_.changes) {
      if (change.target != target || change.offset + change.length <= begin) continue;
      if (auto done = judge_zeros(target, begin, change.offset); !done) return done;
      begin = change.offset + change.length;
    }
    return judge_zeros(target, begin, files_.of(target).size_bytes());
  }

  Done judge_zeros(File target, std::uint64_t begin, std::uint64_t end) {
    std::vector<std::byte> bytes;
    const Device& device = files_.of(target);
    end = std::min(end, device.size_bytes());
    for (begin = device.next_data(begin).begin; begin < end; begin = device.next_data(begin).begin) {
      bytes.resize(std::min(kPieceBytes, end - begin));
      if (auto done = read(target, begin, bytes); !done) return done;
      const auto at = std::ranges::find_if(bytes, [](std::byte byte) { return byte != std::byte{0}; });
      if (at != bytes.end()) note_foreign(target, begin + static_cast<std::uint64_t>(at - bytes.begin()));
      begin += bytes.size();
    }
    return {};
  }

  Done judge_change(const Change& change) {
    const auto old_bytes = changes_.read(change, Side::old_bytes);
    if (!old_bytes) return std::unexpected(old_bytes.error());
    const auto new_bytes = changes_.read(change, Side::new_bytes);
    if (!new_bytes) return std::unexpected(new_bytes.error());
    std::vector<std::byte> there(change.length);
    if (auto done = read(change.target, change.offset, there); !done) return done;
    if (there != *old_bytes) state_.is_old = false;
    if (there != *new_bytes) state_.is_new = false;
    if (holds_header(change) && there.size() > kMarkOffset) {
      // The bit alone is no third party's; the other bits of its byte count.
      const std::byte bits = there[kMarkOffset] & ~kMark;
      const std::byte before = (*old_bytes)[kMarkOffset];
      const std::byte after = (*new_bytes)[kMarkOffset];
      if (bits == (before & ~kMark))
        there[kMarkOffset] = before;
      else if (bits == (after & ~kMark))
        there[kMarkOffset] = after;
    }
    for (std::size_t i = 0; i < there.size(); ++i) {
      if (there[i] == (*old_bytes)[i] || there[i] == (*new_bytes)[i]) continue;
      note_foreign(change.target, change.offset + i);
      break;
    }
    return {};
  }

  Done look_at_header() {
    std::array<std::byte, kHeaderV3Bytes> header{};
    if (auto done = read(File::image, 0, header); !done) return done;
    state_.is_marked = is_marked(header);
    state_.is_unmarked = can_be_marked(header) && !state_.is_marked;
    return {};
  }

  void note_foreign(File target, std::uint64_t offset) {
    state_.is_old = state_.is_new = false;
    if (state_.foreign_offset) return;
    state_.foreign_offset = offset;
    state_.foreign_file = target;
  }

  const Changes& changes_;
  const RepairFiles& files_;
  StateOnDisk state_;
};

}  // namespace

std::expected<StateOnDisk, std::string> judge_state(const Changes& changes, const RepairFiles& files) {
  return Judge(changes, files).run();
}

}  // namespace cowvet
