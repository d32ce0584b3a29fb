#include "repair/changes.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <map>
#include <utility>

#include "checker/device/file_device.h"
#include "checker/format/units.h"
#include "repair/corrupt_mark.h"

namespace cowvet {
namespace {

constexpr std::uint64_t kBoundBytes = 64 * 1024;

// A block that a plan touches: as it is on disk, and as the plan has left it so far.
struct Block {
  Phase phase = Phase::structures;
  std::vector<std::byte> old_bytes;
  std::vector<std::byte> new_bytes;
};

using Blocks = std::map<std::pair<File, std::uint64_t>, Block>;  // by target and offset

class Builder {
 public:
  Builder(const Plan& plan, const RepairFiles& files) : plan_(plan), files_(files) {}

  std::expected<Changes, std::string> build(std::string note) {
    if (auto fits = check_files(); !fits) return std::unexpected(fits.error());
    for (const Step& step : plan_.steps)
      for (const Write& write : step.writes)
        if (auto added = add(write, step.phase); !added) return std::unexpected(added.error());
    // The block that carries the corrupt bit changes with every repair, if only in between.
    if (auto header = block(File::image, 0); !header)
      return std::unexpected(header.error());
    else if (can_be_marked((*header)->old_bytes) || can_be_marked((*header)->new_bytes))
      keep_header_ = true;
    return collect(std::move(note));
  }

 private:
  std::uint64_t size_after(File target) const {
    return target == File::image ? plan_.image_bytes_after : plan_.data_file_bytes_after;
  }

  std::expected<void, std::string> check_files() const {
    if (auto fits = check_file(plan_.image, files_.image, plan_.image_bytes_after); !fits) return fits;
    if (plan_.data_file && files_.data_file == nullptr)
      return std::unexpected("the plan changes a data file, which was not opened");
    if (!plan_.data_file) return {};
    if (files_.image.identity() && files_.image.identity() == files_.data_file->identity())
      return std::unexpected("the data file is the image itself");
    return check_file(*plan_.data_file, *files_.data_file, plan_.data_file_bytes_after);
  }

  static std::expected<void, std::string> check_file(const Binding& binding, const Device& device,
                                                     std::uint64_t after) {
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

  // The block at `offset`, read when it is first asked for.
  std::expected<Block*, std::string> block(File target, std::uint64_t offset) {
    const auto [at, is_new] = blocks_.try_emplace({target, offset});
    if (is_new) {
      const Device& device = files_.of(target);
      at->second.old_bytes.resize(std::min(kBlockBytes, size_after(target) - offset));
      if (auto read = device.read(offset, at->second.old_bytes); !read)
        return std::unexpected(describe_io_error("read", device.name(), read.error()));
      at->second.new_bytes = at->second.old_bytes;
    }
    return &at->second;
  }

  std::expected<void, std::string> add(const Write& write, Phase phase) {
    if (write.target != File::image && !(write.target == File::data_file && plan_.data_file))
      return std::unexpected("the plan writes to a file that it does not name");
    if (write.old_bytes.size() != write.new_bytes.size() ||
        !fits_in(write.offset, write.new_bytes.size(), size_after(write.target)))
      return std::unexpected(fmt::format("the plan's write at {:#x} does not fit", write.offset));
    for (std::uint64_t done = 0; done < write.new_bytes.size();) {
      const std::uint64_t at = write.offset + done;
      const std::uint64_t in_block = at % kBlockBytes;
      const std::uint64_t part = std::min(kBlockBytes - in_block, write.new_bytes.size() - done);
      auto found = block(write.target, at - in_block);
      if (!found) return std::unexpected(found.error());
      if (!std::equal(write.old_bytes.begin() + done, write.old_bytes.begin() + done + part,
                      (*found)->new_bytes.begin() + in_block))
        return std::unexpected(fmt::format("{} has changed at {:#x} since the plan was made",
                                           files_.of(write.target).name(), at));
      std::copy_n(write.new_bytes.begin() + done, part, (*found)->new_bytes.begin() + in_block);
      (*found)->phase = std::max((*found)->phase, phase);
      done += part;
    }
    return {};
  }

  bool worth_keeping(File target, std::uint64_t offset, const Block& block) const {
    return block.old_bytes != block.new_bytes || (keep_header_ && target == File::image && offset == 0);
  }

  std::expected<Changes, std::string> collect(std::string note) {
    Changes result{.note = std::move(note)};
    for (auto& [key, block] : blocks_) {
      if (!worth_keeping(key.first, key.second, block)) continue;
      Change* last = result.changes.empty() ? nullptr : &result.changes.back();
      if (last != nullptr && last->target == key.first && last->phase == block.phase &&
          last->offset + last->new_bytes.size() == key.second &&
          last->new_bytes.size() + kBlockBytes <= kMostChangeBytes) {
        last->old_bytes.insert(last->old_bytes.end(), block.old_bytes.begin(), block.old_bytes.end());
        last->new_bytes.insert(last->new_bytes.end(), block.new_bytes.begin(), block.new_bytes.end());
      } else {
        result.changes.push_back(
            {key.first, block.phase, key.second, std::move(block.old_bytes), std::move(block.new_bytes)});
      }
    }
    if (auto bound = bind(plan_.image, File::image, result.changes))
      result.image = std::move(*bound);
    else
      return std::unexpected(bound.error());
    if (!plan_.data_file) return result;
    if (auto bound = bind(*plan_.data_file, File::data_file, result.changes))
      result.data_file = std::move(*bound);
    else
      return std::unexpected(bound.error());
    return result;
  }

  std::expected<ChangedFile, std::string> bind(const Binding& binding, File target,
                                               const std::vector<Change>& changes) const {
    const Device& device = files_.of(target);
    const auto hash = hash_unchanged(device, target, changes, binding.size_bytes);
    if (!hash) return std::unexpected(describe_io_error("read", device.name(), hash.error()));
    return ChangedFile{binding.path, device.identity(), binding.size_bytes, size_after(target), *hash};
  }

  const Plan& plan_;
  const RepairFiles& files_;
  Blocks blocks_;
  bool keep_header_ = false;
};

}  // namespace

std::expected<Changes, std::string> make_changes(const Plan& plan, const RepairFiles& files,
                                                 std::string note) {
  if (!plan.unfit.empty()) return std::unexpected("the plan must not be applied: " + plan.unfit);
  return Builder(plan, files).build(std::move(note));
}

Changes reverse(Changes changes) {
  for (Change& change : changes.changes) {
    std::swap(change.old_bytes, change.new_bytes);
    // Pointers go back first, to structures that are still there.
    change.phase = change.phase == Phase::structures ? Phase::pointers : Phase::structures;
  }
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
    const std::uint64_t length = std::min<std::uint64_t>(change.new_bytes.size(), end - change.offset);
    std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(change.offset), length, std::byte{0});
  }
  return XXH3_64bits(bytes.data(), bytes.size());
}

std::string describe_io_error(std::string_view verb, const std::string& name, const IoError& error) {
  return fmt::format("cannot {} {} at {:#x}: {}", verb, name, error.offset, describe_errno(error.code));
}

}  // namespace cowvet
