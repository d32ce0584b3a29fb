#include "checker/policy/other_formats.h"

#include <array>
#include <span>
#include <string>

#include "checker/format/endian.h"

namespace cowvet {
namespace {

using namespace std::string_view_literals;

struct Signature {
  OtherFormat format;
  std::string_view bytes;
};

// From the start of the file. Formats whose magic is at 0 need no row: there is qcow2's.
constexpr Signature kSignatures[] = {
    {{"ISO 9660", 0x8001}, "CD001"sv},   {{"UDF", 0x8001}, "BEA01"sv},
    {{"MBR", 510, true}, "\x55\xaa"sv},  {{"GPT", 512, true}, "EFI PART"sv},
    {{"GPT", 4096, true}, "EFI PART"sv},
};

// From the end of the file.
constexpr Signature kFooters[] = {
    {{"VHD", 512}, "conectix"sv},
    {{"VMDK", 1024}, "KDMV\x03\0\0\0"sv},
    {{"GPT", 512, true}, "EFI PART"sv},
};

// The second header of LUKS2 says where it is, so that the disk of an encrypted guest is not taken for it.
constexpr std::string_view kLuks2Magic = "SKUL\xba\xbe"sv;
constexpr std::uint64_t kLuks2OffsetField = 256;
constexpr std::uint64_t kFirstLuks2Header = 0x4000;
constexpr std::uint64_t kLastLuks2Header = 0x400000;

std::expected<bool, IoError> stands_at(const Device& device, std::uint64_t offset, std::string_view bytes) {
  if (offset >= device.size_bytes() || bytes.size() > device.size_bytes() - offset) return false;
  std::array<char, 8> found{};
  const auto read = std::span(found).first(bytes.size());
  if (const auto done = device.read(offset, std::as_writable_bytes(read)); !done)
    return std::unexpected(done.error());
  return std::string_view(read.data(), read.size()) == bytes;
}

std::expected<bool, IoError> is_luks2_header(const Device& device, std::uint64_t offset) {
  const auto magic = stands_at(device, offset, kLuks2Magic);
  if (!magic || !*magic) return magic;
  std::array<std::byte, 8> field{};
  if (const auto done = device.read(offset + kLuks2OffsetField, field); !done)
    return std::unexpected(done.error());
  return load_big_endian<std::uint64_t>(field.data()) == offset;
}

// Two places, so that no text of a guest is taken for it.
std::expected<bool, IoError> is_vhdx(const Device& device) {
  const auto region_table = stands_at(device, 0x30000, "regi");
  return region_table && *region_table ? stands_at(device, 0x10000, "head") : region_table;
}

}  // namespace

std::expected<std::vector<OtherFormat>, IoError> find_other_formats(const Device& device) {
  std::vector<OtherFormat> formats;
  const auto look = [&](OtherFormat format, std::string_view bytes) -> std::expected<void, IoError> {
    const auto there = stands_at(device, format.offset, bytes);
    if (!there) return std::unexpected(there.error());
    if (*there) formats.push_back(format);
    return {};
  };
  for (const auto& [format, bytes] : kSignatures)
    if (const auto done = look(format, bytes); !done) return std::unexpected(done.error());
  for (auto [format, bytes] : kFooters) {
    if (device.size_bytes() < format.offset) continue;
    format.offset = device.size_bytes() - format.offset;
    if (const auto done = look(format, bytes); !done) return std::unexpected(done.error());
  }
  const auto vhdx = is_vhdx(device);
  if (!vhdx) return std::unexpected(vhdx.error());
  if (*vhdx) formats.push_back({"VHDX", 0x30000});
  for (std::uint64_t offset = kFirstLuks2Header; offset <= kLastLuks2Header; offset *= 2) {
    const auto there = is_luks2_header(device, offset);
    if (!there) return std::unexpected(there.error());
    if (*there) formats.push_back({"LUKS2", offset});
  }
  return formats;
}

}  // namespace cowvet
