#include "checker/analysis/disk_chain.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>

#include "tests/support/mapped_image.h"

namespace cowvet {
namespace {

constexpr std::uint64_t kCluster = MemoryImage::kClusterBytes;

// Files by name. Each has an identity of its own.
class Files {
 public:
  void add(const std::string& name, std::vector<std::byte> bytes) { files_[name] = std::move(bytes); }
  void add(const std::string& name, const MemoryImage& image) { add(name, image.encoded()); }

  std::unique_ptr<Device> open(const std::string& name) const {
    const auto at = files_.find(name);
    if (at == files_.end()) return nullptr;
    const auto number = static_cast<std::uint64_t>(std::distance(files_.begin(), at));
    return std::make_unique<Named>(at->second, name, FileIdentity{1, number});
  }

  OpenBackingOf opener() const {
    return [this](const std::string&) {
      return [this](const std::string& name) {
        auto device = open(name);
        const auto state = device ? Companion::State::open : Companion::State::missing;
        return Companion{.state = state, .device = std::move(device), .path = name, .why = "no such file"};
      };
    };
  }

 private:
  class Named final : public Device {
   public:
    Named(std::vector<std::byte> bytes, const std::string& name, FileIdentity identity)
        : memory_(std::move(bytes), name), identity_(identity) {}
    const std::string& name() const override { return memory_.name(); }
    std::uint64_t size_bytes() const override { return memory_.size_bytes(); }
    std::expected<void, IoError> read(std::uint64_t offset, std::span<std::byte> out) const override {
      return memory_.read(offset, out);
    }
    std::optional<FileIdentity> identity() const override { return identity_; }

   private:
    MemoryDevice memory_;
    FileIdentity identity_;
  };

  std::map<std::string, std::vector<std::byte>> files_;
};

// An image of 8 clusters with a backing file; `zero` reads as zeros, the rest is the backing file's.
MappedImage image_over(const std::string& backing, const std::string& format, std::uint64_t zero) {
  MappedImage image(8 * kCluster);
  if (!format.empty()) image.add_extension(static_cast<std::uint32_t>(ExtensionType::backing_format), format);
  image.add_extension(0, "");
  if (!backing.empty()) {
    image.header.backing_file_offset = 2048;
    image.header.backing_file_size = static_cast<std::uint32_t>(backing.size());
    image.put(2048, backing);
  }
  image.map(zero, L2Entry::kZero);
  return image;
}

struct Mapped {
  Mapped(const Files& files, const OpenBackingOf& opener, const std::string& snapshot = "")
      : device(files.open("top")), chain(*device, opener) {
    auto map = chain.map(snapshot);
    if (!map) {
      text = map.error();
      return;
    }
    map->map([&](const MapExtent& extent) {
      text += fmt::format("{}{} {}+{}/{}", text.empty() ? "" : ", ", to_string(extent.kind),
                          extent.guest.offset / kCluster, extent.guest.length / kCluster, extent.depth);
      return true;
    });
  }
  explicit Mapped(const Files& files) : Mapped(files, files.opener()) {}

  std::unique_ptr<Device> device;
  DiskChain chain;
  std::string text;
};

TEST(DiskChain, backing_files_are_followed_to_the_last) {
  Files files;
  files.add("top", image_over("middle", "qcow2", 0));
  files.add("middle", image_over("bottom", "raw", 1));
  files.add("bottom", std::vector<std::byte>(3 * kCluster));
  const Mapped mapped(files);
  EXPECT_EQ(mapped.text, "zero 0+1/0, zero 1+1/1, data 2+1/2, unallocated 3+5/1");
  EXPECT_EQ(mapped.chain.missing(), "");
}

TEST(DiskChain, format_is_believed_and_only_without_one_the_magic_decides) {
  Files files;
  files.add("middle", image_over("", "", 1));
  files.add("top", image_over("middle", "raw", 0));
  EXPECT_EQ(Mapped(files).text, "zero 0+1/0, data 1+4/1, unallocated 5+3/0");
  files.add("top", image_over("middle", "", 0));
  EXPECT_EQ(Mapped(files).text, "zero 0+1/0, zero 1+1/1, unallocated 2+6/1");
  files.add("top", image_over("middle", "vmdk", 0));
  const Mapped other(files);
  EXPECT_EQ(other.text, "zero 0+1/0, unallocated 1+7/0");
  EXPECT_TRUE(other.chain.incomplete());
}

TEST(DiskChain, backing_file_that_nobody_allowed_is_no_failure) {
  Files files;
  files.add("top", image_over("middle", "qcow2", 0));
  const Mapped mapped(files, {});
  EXPECT_EQ(mapped.text, "zero 0+1/0, unallocated 1+7/0");
  EXPECT_EQ(mapped.chain.missing(), "the backing file middle was not followed");
  EXPECT_FALSE(mapped.chain.incomplete());
}

TEST(DiskChain, backing_file_that_is_missing_or_damaged_is_a_failure) {
  Files files;
  files.add("top", image_over("middle", "qcow2", 0));
  EXPECT_TRUE(Mapped(files).chain.incomplete());
  files.add("middle", std::vector<std::byte>(kCluster));
  const Mapped damaged(files);
  EXPECT_TRUE(damaged.chain.incomplete());
  EXPECT_EQ(damaged.chain.missing(), "the backing file middle is not a usable image");
}

TEST(DiskChain, chain_that_bites_its_tail_ends) {
  Files files;
  files.add("top", image_over("middle", "qcow2", 0));
  files.add("middle", image_over("top", "qcow2", 1));
  const Mapped mapped(files);
  EXPECT_EQ(mapped.text, "zero 0+1/0, zero 1+1/1, unallocated 2+6/1");
  EXPECT_EQ(mapped.chain.missing(), "the backing file top is an image above it");
}

TEST(DiskChain, snapshots_are_found_by_id_then_by_name) {
  Files files;
  MappedImage image = image_over("", "", 0);
  image.header.nb_snapshots = 2;
  image.header.snapshots_offset = 5 * kCluster;
  std::vector<std::byte> table;
  for (const auto& [id, name, l1] : {std::tuple("1", "2", 6), std::tuple("2", "later", 7)}) {
    Snapshot snapshot{.l1_table_offset = l1 * kCluster, .l1_size = 1, .id = id, .name = name};
    snapshot.extra_data.resize(16);
    store_big_endian(snapshot.extra_data.data() + 8, 8 * kCluster);
    encode_snapshot(snapshot, table);
  }
  image.put(5 * kCluster, table);
  image.put(6 * kCluster, 8 * kCluster);
  image.put(7 * kCluster, 9 * kCluster);
  image.put(8 * kCluster + 8, L2Entry::kZero);
  image.put(9 * kCluster + 16, L2Entry::kZero);
  files.add("top", image);
  const std::string second = "unallocated 0+2/0, zero 2+1/0, unallocated 3+5/0";
  EXPECT_EQ(Mapped(files, {}, "1").text, "unallocated 0+1/0, zero 1+1/0, unallocated 2+6/0");
  EXPECT_EQ(Mapped(files, {}, "2").text, second);
  EXPECT_EQ(Mapped(files, {}, "later").text, second);
  EXPECT_EQ(Mapped(files, {}, "none").text, "there is no snapshot none");
}

}  // namespace
}  // namespace cowvet
