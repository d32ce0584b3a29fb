#include "corpus/examine.h"

#include <algorithm>
#include <cstring>

namespace cowvet::corpus {
namespace {

// A view of bytes that are kept elsewhere, with an identity, so that two names can mean one file.
class BytesDevice final : public Device {
 public:
  BytesDevice(std::string name, std::span<const std::byte> bytes, std::uint64_t inode)
      : name_(std::move(name)), bytes_(bytes), identity_{.device = 1, .inode = inode} {}

  const std::string& name() const override { return name_; }
  std::uint64_t size_bytes() const override { return bytes_.size(); }
  std::optional<FileIdentity> identity() const override { return identity_; }

  std::expected<void, IoError> read(std::uint64_t offset, std::span<std::byte> out) const override {
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
};

enum Inode : std::uint64_t { kImage = 1, kDataFile = 2, kBackingFile = 3 };

Companion opened(const std::string& name, std::span<const std::byte> bytes, Inode inode) {
  return {.state = Companion::State::open,
          .device = std::make_unique<BytesDevice>(name, bytes, inode),
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
      return opened(name, bytes_of(built.data_file), kDataFile);
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

Report examine(const Recipe& recipe, const BuiltImage& built, unsigned threads) {
  const BytesDevice image(recipe.short_name() + ".qcow2", built.image, kImage);
  const Inputs inputs{
      .image = image,
      .open_data_file = [&](const std::string& name) { return data_file_of(recipe, built, name); },
      .open_backing =
          [&](const std::string& name) { return opened(name, bytes_of(built.backing_file), kBackingFile); }};
  return analyze(inputs, {.threads = threads, .deep = recipe.check_deep, .findings_per_rule = 0});
}

}  // namespace cowvet::corpus
