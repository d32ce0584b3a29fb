#include "corpus/examine.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "checker/policy/judge_content.h"

namespace cowvet::corpus {
namespace {

// A view of bytes that are kept elsewhere, with an identity, so that two names can mean one file.
class BytesDevice final : public Device {
 public:
  BytesDevice(std::string name, std::span<const std::byte> bytes, std::uint64_t inode,
              std::vector<UnreadableRange> unreadable = {})
      : name_(std::move(name)),
        bytes_(bytes),
        identity_{.device = 1, .inode = inode},
        unreadable_(std::move(unreadable)) {}

  const std::string& name() const override { return name_; }
  std::uint64_t size_bytes() const override { return bytes_.size(); }
  std::optional<FileIdentity> identity() const override { return identity_; }

  std::expected<void, IoError> read(std::uint64_t offset, std::span<std::byte> out) const override {
    for (const UnreadableRange& bad : unreadable_)
      if (offset < bad.offset + bad.length && bad.offset < offset + out.size())
        return std::unexpected(IoError{
            .offset = std::max(offset, bad.offset),
            .length = std::min(offset + out.size(), bad.offset + bad.length) - std::max(offset, bad.offset),
            .code = EIO});
    const std::uint64_t available = offset < bytes_.size() ? bytes_.size() - offset : 0;
    const auto there = static_cast<std::size_t>(std::min<std::uint64_t>(available, out.size()));
    if (there != 0) std::memcpy(out.data(), bytes_.data() + offset, there);
    std::ranges::fill(out.subspan(there), std::byte{0});
    return {};
  }

 private:
  std::string name_;
  std::span<const std::byte> bytes_;
  FileIdentity identity_;
  std::vector<UnreadableRange> unreadable_;
};

std::vector<UnreadableRange> unreadable_in(const BuiltImage& built, bool data_file) {
  std::vector<UnreadableRange> ranges;
  for (const UnreadableRange& range : built.unreadable)
    if (range.data_file == data_file) ranges.push_back(range);
  return ranges;
}

enum Inode : std::uint64_t { kImage = 1, kDataFile = 2, kBackingFile = 3 };

Companion opened(const std::string& name, std::span<const std::byte> bytes, Inode inode,
                 std::vector<UnreadableRange> unreadable = {}) {
  return {.state = Companion::State::open,
          .device = std::make_unique<BytesDevice>(name, bytes, inode, std::move(unreadable)),
          .path = name,
          .why = {}};
}

std::span<const std::byte> bytes_of(const std::optional<std::vector<std::byte>>& file) {
  return file ? std::span<const std::byte>(*file) : std::span<const std::byte>();
}

Companion data_file_of(const Recipe& recipe, const BuiltImage& built, const std::string& name) {
  const auto found = recipe.data_file ? recipe.data_file->found : DataFile::Found::missing;
  switch (found) {
    case DataFile::Found::yes:
      return opened(name, bytes_of(built.data_file), kDataFile, unreadable_in(built, true));
    case DataFile::Found::image:
      return opened(name, built.image, kImage);
    case DataFile::Found::backing:
      return opened(name, bytes_of(built.backing_file), kBackingFile);
    case DataFile::Found::missing:
      return {.state = Companion::State::missing, .device = {}, .path = name, .why = "there is no such file"};
    case DataFile::Found::not_followed:
      break;
  }
  return {.state = Companion::State::not_followed, .device = {}, .path = name, .why = "it was not asked for"};
}

}  // namespace

void with_inputs(const Recipe& recipe, const BuiltImage& built,
                 const std::function<void(const Inputs&)>& use) {
  const BytesDevice image(recipe.short_name() + ".qcow2", built.image, kImage, unreadable_in(built, false));
  use({.image = image,
       .open_data_file = [&](const std::string& name) { return data_file_of(recipe, built, name); },
       .open_backing =
           [&](const std::string& name) {
             return opened(name, bytes_of(built.backing_file), kBackingFile);
           }});
}

Report examine(const Recipe& recipe, const BuiltImage& built, unsigned threads) {
  Report report;
  with_inputs(recipe, built, [&](const Inputs& inputs) {
    report = analyze(inputs, {.threads = threads, .deep = recipe.check_deep, .findings_per_rule = 0});
    if (!recipe.policy) return;
    for (Finding& finding : judge_content(report, inputs.image, *recipe.policy, {}))
      add_finding(report, std::move(finding));
  });
  return report;
}

}  // namespace cowvet::corpus
