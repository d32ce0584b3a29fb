// What qemu-img does to images beyond writing to them: convert, commit, rebase, amend, resize, repair.
#include <fmt/format.h>

#include <vector>

#include "tests/qemu/sound_image.h"

namespace cowvet {
namespace {

const std::vector<SoundImage> kConverted = {
    {.name = "compressed", .commands = R"sh(
seq 1 3000000 >raw; truncate -s 48M raw
qemu-img convert -c -f raw -O qcow2 raw disk.qcow2)sh"},
    {.name = "compressed_out_of_order", .commands = R"sh(
seq 1 3000000 >raw
qemu-img convert -c -W -m 16 -f raw -O qcow2 raw disk.qcow2)sh"},
    {.name = "compressed_zstd_small_clusters", .commands = R"sh(
seq 1 500000 >raw
qemu-img convert -c -f raw -O qcow2 -o compression_type=zstd,cluster_size=1k raw disk.qcow2)sh"},
    {.name = "compressed_large_clusters", .commands = R"sh(
seq 1 3000000 >raw
qemu-img convert -c -f raw -O qcow2 -o cluster_size=2M raw disk.qcow2)sh"},
    {.name = "compressed_extended_l2", .commands = R"sh(
seq 1 500000 >raw
qemu-img convert -c -f raw -O qcow2 -o extended_l2=on,cluster_size=16k raw disk.qcow2)sh"},
    {.name = "incompressible_data_compressed", .commands = R"sh(
seq 1 100000 | gzip -9 >raw; truncate -s 1M raw
qemu-img convert -c -f raw -O qcow2 -o cluster_size=4k raw disk.qcow2)sh"},
    {.name = "sparse_detection_off", .commands = R"sh(
seq 1 1000 >raw; truncate -s 4M raw
qemu-img convert -S 0 -f raw -O qcow2 raw disk.qcow2)sh"},
    {.name = "sparse_detection_coarse", .commands = R"sh(
seq 1 100000 >raw; truncate -s 4M raw
qemu-img convert -S 64k -f raw -O qcow2 -o cluster_size=4k raw disk.qcow2)sh"},
    {.name = "into_preallocated", .commands = R"sh(
seq 1 100000 >raw; truncate -s 4M raw
qemu-img convert -f raw -O qcow2 -o preallocation=metadata raw disk.qcow2)sh"},
    {.name = "into_an_existing_image", .commands = R"sh(
seq 1 100000 >raw; truncate -s 4M raw
create -o cluster_size=4k disk.qcow2 4M
io -c "write -P 1 0 4M"
qemu-img convert -n -f raw -O qcow2 raw disk.qcow2)sh"},
    {.name = "with_bitmaps", .commands = R"sh(
create source.qcow2 16M
qemu-img bitmap --add source.qcow2 one
qemu-img bitmap --add -g 4k source.qcow2 two
qemu-io -c "write -P 1 1M 3M" source.qcow2 >/dev/null
qemu-img convert --bitmaps -f qcow2 -O qcow2 source.qcow2 disk.qcow2)sh"},
    {.name = "from_a_snapshot", .commands = R"sh(
create source.qcow2 16M
qemu-io -c "write -P 1 1M 3M" source.qcow2 >/dev/null
qemu-img snapshot -c one source.qcow2
qemu-io -c "write -P 2 1M 3M" source.qcow2 >/dev/null
qemu-img convert -l snapshot.name=one -f qcow2 -O qcow2 source.qcow2 disk.qcow2)sh"},
    {.name = "from_a_guest_file_system", .commands = R"sh(
mkdir tree; seq 1 100000 >tree/numbers; for i in $(seq 50); do echo $i >tree/file-$i; done
mke2fs -q -t ext4 -d tree raw 32M
qemu-img convert -f raw -O qcow2 raw disk.qcow2)sh"},
    {.name = "from_a_guest_file_system_compressed", .commands = R"sh(
mkdir tree; seq 1 100000 >tree/numbers; for i in $(seq 50); do echo $i >tree/file-$i; done
mke2fs -q -t ext4 -d tree raw 32M
qemu-img convert -c -f raw -O qcow2 -o compression_type=zstd raw disk.qcow2)sh"},
    {.name = "dd_of_a_part", .commands = R"sh(
seq 1 100000 >raw; truncate -s 4M raw
qemu-img dd -f raw -O qcow2 if=raw of=disk.qcow2 bs=512 count=777 skip=3)sh"},
};

const std::vector<SoundImage> kBacked = {
    {.name = "on_raw", .commands = R"sh(
truncate -s 3M base
create -b base -F raw disk.qcow2
io -c "write -P 1 512 512" -c "write -z 1M 128k" -c "write -zu 2M 64k")sh"},
    {.name = "extended_l2_with_single_subclusters", .commands = R"sh(
truncate -s 3M base
create -b base -F raw -o extended_l2=on disk.qcow2
io -c "write -P 1 4k 2k" -c "write -z 8k 2k" -c "write -P 2 70k 512" -c "write -z 1M 64k" -c "discard 1M 2k")sh"},
    {.name = "chain_of_three", .commands = R"sh(
create base 5M
create -b base -F qcow2 middle
create -b middle -F qcow2 disk.qcow2
qemu-io -c "write -P 1 0 2M" base >/dev/null
qemu-io -c "write -P 2 1M 2M" middle >/dev/null
io -c "write -P 3 3M 65k")sh"},
    {.name = "larger_than_its_base", .commands = R"sh(
truncate -s 100k base
create -b base -F raw disk.qcow2 9M
io -c "write -P 1 64k 64k" -c "write -P 1 8M 1M")sh"},
    {.name = "smaller_than_its_base", .commands = R"sh(
truncate -s 10M base
create -b base -F raw disk.qcow2 1M
io -c "write -P 1 64k 64k")sh"},
    {.name = "version_2", .commands = R"sh(
truncate -s 3M base
create -b base -F raw -o compat=0.10 disk.qcow2
io -c "write -P 1 512 512" -c "write -z 1M 128k" -c "discard 512 64k")sh"},
    {.name = "preallocated_metadata", .commands = R"sh(
truncate -s 3M base
create -b base -F raw -o preallocation=metadata,extended_l2=on disk.qcow2
io -c "write -P 1 512 512")sh"},
    {.name = "committed_down", .commands = R"sh(
create disk.qcow2 5M
io -c "write -P 1 0 2M"
create -b disk.qcow2 -F qcow2 overlay
qemu-io -c "write -P 2 1M 2M" -c "write -z 4M 512k" -c "write -c -P 7 3M 64k" overlay >/dev/null
qemu-img commit -q overlay)sh"},
    {.name = "emptied_by_commit", .commands = R"sh(
create base 5M
create -b base -F qcow2 disk.qcow2
io -c "write -P 2 1M 2M" -c "write -z 4M 512k"
qemu-img commit -q disk.qcow2)sh"},
    {.name = "emptied_by_commit_with_a_snapshot", .commands = R"sh(
create base 5M
create -b base -F qcow2 disk.qcow2
io -c "write -P 2 1M 2M"
qemu-img snapshot -c one disk.qcow2
qemu-img commit -q disk.qcow2)sh"},
    {.name = "committed_down_two", .commands = R"sh(
create disk.qcow2 5M
create -b disk.qcow2 -F qcow2 middle
create -b middle -F qcow2 top
qemu-io -c "write -P 2 1M 2M" middle >/dev/null
qemu-io -c "write -P 3 2M 2M" top >/dev/null
qemu-img commit -q -b disk.qcow2 top)sh"},
    {.name = "rebased", .commands = R"sh(
create -o cluster_size=4k base 5M
create -o cluster_size=64k other 4M
qemu-io -c "write -P 1 0 3M" base >/dev/null
qemu-io -c "write -P 2 1M 3M" other >/dev/null
create -b base -F qcow2 disk.qcow2
io -c "write -P 3 2M 1M"
qemu-img rebase -q -b other -F qcow2 disk.qcow2)sh"},
    {.name = "rebased_onto_nothing", .commands = R"sh(
create base 5M
qemu-io -c "write -P 1 0 3M" base >/dev/null
create -b base -F qcow2 disk.qcow2
qemu-img rebase -q -b '' disk.qcow2)sh"},
    {.name = "renamed_base", .commands = R"sh(
create base 5M
create -b base -F qcow2 disk.qcow2
mv base a-much-longer-name-than-before
qemu-img rebase -u -b a-much-longer-name-than-before -F qcow2 disk.qcow2)sh"},
    {.name = "longest_name", .commands = R"sh(
name=$(printf './%.0s' $(seq 509))base1
truncate -s 1M base1
[ ${#name} -eq 1023 ]
create -b $name -F raw disk.qcow2)sh"},
    {.name = "json_name", .commands = R"sh(
truncate -s 1M base
create -b 'json:{"driver":"raw","file":{"driver":"file","filename":"base"}}' -F raw disk.qcow2)sh"},
};

const std::vector<SoundImage> kAmended = {
    {.name = "upgraded", .commands = R"sh(
create -o compat=0.10 disk.qcow2 5M
io -c "write -P 1 0 2M"
qemu-img snapshot -c one disk.qcow2
qemu-img amend -o compat=1.1 disk.qcow2)sh"},
    {.name = "downgraded", .commands = R"sh(
truncate -s 5M base
create -b base -F raw disk.qcow2
io -c "write -P 1 0 2M" -c "write -z 1M 1M" -c "write -zu 3M 1M"
qemu-img amend -o compat=0.10 disk.qcow2)sh"},
    {.name = "downgraded_with_a_snapshot", .commands = R"sh(
truncate -s 5M base
create -b base -F raw disk.qcow2
io -c "write -P 1 0 2M" -c "write -z 1M 1M"
qemu-img snapshot -c one disk.qcow2
io -c "write -P 1 0 2M" -c "write -z 3M 1M"
qemu-img amend -o compat=0.10 disk.qcow2)sh"},
    {.name = "refcounts_narrowed_to_1_bit", .commands = R"sh(
create disk.qcow2 5M
io -c "write -P 1 0 2M"
qemu-img amend -o refcount_bits=1 disk.qcow2)sh"},
    {.name = "refcounts_widened_to_64_bits", .commands = R"sh(
create -o cluster_size=512 disk.qcow2 5M
io -c "write -P 1 0 2M"
qemu-img snapshot -c one disk.qcow2
qemu-img amend -o refcount_bits=64 disk.qcow2
io -c "write -P 2 1M 2M")sh"},
    {.name = "refcounts_there_and_back", .commands = R"sh(
create -o cluster_size=512,refcount_bits=64 disk.qcow2 5M
io -c "write -P 1 0 2M"
qemu-img amend -o refcount_bits=2 disk.qcow2
qemu-img snapshot -c one disk.qcow2
qemu-img amend -o refcount_bits=32 disk.qcow2)sh"},
    {.name = "lazy_refcounts_on_and_off", .commands = R"sh(
create disk.qcow2 5M
qemu-img amend -o lazy_refcounts=on disk.qcow2
io -c "write -P 1 0 2M"
qemu-img amend -o lazy_refcounts=off disk.qcow2
io -c "write -P 1 2M 2M")sh"},
};

const std::vector<SoundImage> kResized = {
    {.name = "grown_with_preallocated_metadata", .commands = R"sh(
create disk.qcow2 1000k
qemu-img resize -q -f qcow2 --preallocation=metadata disk.qcow2 4097k)sh"},
    {.name = "grown_with_allocated_clusters", .commands = R"sh(
create -o cluster_size=4k disk.qcow2 1000k
qemu-img resize -q -f qcow2 --preallocation=falloc disk.qcow2 4097k)sh"},
    {.name = "grown_with_written_clusters", .commands = R"sh(
create disk.qcow2 1000k
io -c "write -P 1 0 900k"
qemu-img resize -q -f qcow2 --preallocation=full disk.qcow2 4097k)sh"},
    {.name = "grown_with_subclusters_preallocated", .commands = R"sh(
create -o extended_l2=on disk.qcow2 1000k
qemu-img resize -q -f qcow2 --preallocation=metadata disk.qcow2 4097k)sh"},
    {.name = "l1_table_moved", .commands = R"sh(
create -o cluster_size=512 disk.qcow2 32k
io -c "write -P 1 0 32k"
qemu-img resize -q -f qcow2 disk.qcow2 100M
io -c "write -P 1 99M 32k")sh"},
    {.name = "between_snapshots_of_other_sizes", .commands = R"sh(
create -o cluster_size=4k disk.qcow2 1M
io -c "write -P 1 0 1M"
qemu-img snapshot -c small disk.qcow2
qemu-img resize -q -f qcow2 disk.qcow2 9M
io -c "write -P 2 8M 1M"
qemu-img snapshot -c large disk.qcow2
qemu-img snapshot -a small disk.qcow2
io -c "write -P 3 0 100k")sh"},
    {.name = "with_a_bitmap", .commands = R"sh(
create disk.qcow2 1M
qemu-img bitmap --add -g 512 disk.qcow2 one
io -c "write -P 1 0 1M"
qemu-img resize -q -f qcow2 disk.qcow2 40M
io -c "write -P 1 39M 1M"
qemu-img resize -q -f qcow2 --shrink disk.qcow2 3M)sh"},
    {.name = "shrunk_to_a_sector", .commands = R"sh(
create -o cluster_size=512 disk.qcow2 1M
io -c "write -P 1 0 1M"
qemu-img resize -q -f qcow2 --shrink disk.qcow2 512)sh"},
};

const std::vector<SoundImage> kSizes = {
    {.name = "nothing", .commands = "create disk.qcow2 0"},
    {.name = "nothing_version_2", .commands = "create -o compat=0.10,cluster_size=512 disk.qcow2 0"},
    {.name = "one_sector", .commands = "create disk.qcow2 512\nio -c 'write -P 1 0 512'"},
    {.name = "one_sector_of_large_cluster",
     .commands = "create -o cluster_size=2M disk.qcow2 512\nio -c 'write -P 1 0 512'"},
    {.name = "odd_sectors", .commands = "create disk.qcow2 1234432\nio -c 'write -P 1 0 1234432'"},
    {.name = "one_tebibyte_preallocated",
     .commands = "create -o preallocation=metadata,cluster_size=2M disk.qcow2 1T"},
    {.name = "one_tebibyte_with_subclusters_preallocated",
     .commands = "create -o preallocation=metadata,cluster_size=2M,extended_l2=on disk.qcow2 1T"},
    {.name = "eight_tebibyte_sparse",
     .commands =
         "create disk.qcow2 8T\nio -c 'write -P 1 0 1M' -c 'write -P 2 8191G 1M' -c 'write -P 3 5T 1M'"},
    {.name = "sixty_pebibyte_sparse",
     .commands = "create -o cluster_size=2M disk.qcow2 60P\nio -c 'write -P 1 59P 1M' -c 'write -P 1 0 1M'"},
    {.name = "large_with_small_clusters",
     .commands = "create -o cluster_size=512 disk.qcow2 64G\nio -c 'write -P 1 63G 1M' -c 'write -P 1 0 1M'"},
};

const std::vector<SoundImage> kRepaired = {
    {.name = "leaks_freed", .commands = R"sh(
create -o lazy_refcounts=on disk.qcow2 5M
qemu-io -c "write -P 1 0 2M" -c "sigraise 9" disk.qcow2 >/dev/null || true
qemu-img check -q -r all disk.qcow2 >/dev/null)sh"},
    {.name = "refcounts_rebuilt", .commands = R"sh(
create -o cluster_size=4k disk.qcow2 5M
io -c "write -P 1 0 2M"
qemu-img snapshot -c one disk.qcow2
io -c "write -P 1 1M 3M"
dd if=/dev/zero of=disk.qcow2 bs=4096 seek=1 count=1 conv=notrunc status=none
qemu-img check -q -r all disk.qcow2 >/dev/null 2>&1)sh"},
};

const std::vector<SoundImage> kManyThings = {
    {.name = "twenty_snapshots", .commands = R"sh(
create -o cluster_size=4k,refcount_bits=8 disk.qcow2 5M
for i in $(seq 20); do
  io -c "write -P $i $((i * 100))k 300k"
  qemu-img snapshot -c snapshot-$i disk.qcow2
done
for i in 3 7 11 20; do qemu-img snapshot -d snapshot-$i disk.qcow2; done)sh"},
    {.name = "snapshot_names_of_all_kinds", .commands = R"sh(
create disk.qcow2 1M
io -c "write -P 1 0 1M"
qemu-img snapshot -c "a name with blanks" disk.qcow2
qemu-img snapshot -c "$(printf 'x%.0s' $(seq 255))" disk.qcow2
qemu-img snapshot -c "$(printf '\303\244\303\266')" disk.qcow2)sh"},
    {.name = "as_many_references_as_the_width_holds", .commands = R"sh(
create -o cluster_size=512,refcount_bits=4 disk.qcow2 64k
io -c "write -P 1 0 64k"
for i in $(seq 14); do qemu-img snapshot -c $i disk.qcow2; done)sh"},
    {.name = "sixty_bitmaps", .commands = R"sh(
create -o cluster_size=512 disk.qcow2 4M
io -c "write -P 1 0 1M"
for i in $(seq 60); do qemu-img bitmap --add -g $((1 << (9 + i % 20))) disk.qcow2 bitmap-$i; done
io -c "write -P 1 2M 1M")sh"},
    {.name = "bitmap_of_a_large_disk", .commands = R"sh(
create disk.qcow2 4T
qemu-img bitmap --add disk.qcow2 one
io -c "write -P 1 3T 1M")sh"},
    {.name = "bitmaps_and_snapshots", .commands = R"sh(
create disk.qcow2 5M
qemu-img bitmap --add disk.qcow2 one
io -c "write -P 1 0 1M"
qemu-img snapshot -c one disk.qcow2
io -c "write -P 2 0 2M"
qemu-img bitmap --add disk.qcow2 two
qemu-img snapshot -c two disk.qcow2)sh"},
    {.name = "holes_punched", .commands = R"sh(
create disk.qcow2 5M
io -c "write -P 1 0 5M"
qemu-io -d unmap -c "discard 1M 2M" -c "write -zu 4M 128k" disk.qcow2 >/dev/null)sh"},
};

class QemuTools : public testing::TestWithParam<SoundImage> {};

TEST_P(QemuTools, image_is_sound) {
  expect_sound(GetParam());
}

INSTANTIATE_TEST_SUITE_P(Converted, QemuTools, testing::ValuesIn(kConverted), name_of);
INSTANTIATE_TEST_SUITE_P(Backed, QemuTools, testing::ValuesIn(kBacked), name_of);
INSTANTIATE_TEST_SUITE_P(Amended, QemuTools, testing::ValuesIn(kAmended), name_of);
INSTANTIATE_TEST_SUITE_P(Resized, QemuTools, testing::ValuesIn(kResized), name_of);
INSTANTIATE_TEST_SUITE_P(Sizes, QemuTools, testing::ValuesIn(kSizes), name_of);
INSTANTIATE_TEST_SUITE_P(Repaired, QemuTools, testing::ValuesIn(kRepaired), name_of);
INSTANTIATE_TEST_SUITE_P(ManyThings, QemuTools, testing::ValuesIn(kManyThings), name_of);

// Preallocation, with each kind of entry and size of cluster.
std::vector<SoundImage> preallocated() {
  std::vector<SoundImage> images;
  for (const char* mode : {"off", "metadata", "falloc", "full"})
    for (const unsigned cluster : {512, 4096, 65536, 2097152})
      for (const char* kind : {"compat=0.10", "compat=1.1", "extended_l2=on"}) {
        const bool extended = std::string(kind) == "extended_l2=on";
        if (extended && cluster < 16384) continue;
        for (const bool written : {false, true})
          images.push_back(
              {.name = fmt::format("{}_cluster_{}_{}{}", mode, cluster,
                                   extended ? "extended_l2" : (kind[7] == '0' ? "v2" : "v3"),
                                   written ? "_written" : ""),
               .commands = fmt::format("create -o preallocation={},cluster_size={},{} disk.qcow2 4609k\n{}",
                                       mode, cluster, kind,
                                       written ? "io -c 'write -P 1 1M 777k' -c 'discard 3M 128k'" : "")});
      }
  return images;
}

INSTANTIATE_TEST_SUITE_P(Preallocated, QemuTools, testing::ValuesIn(preallocated()), name_of);

}  // namespace
}  // namespace cowvet
