#include "tests/support/qemu_samples.h"

#include <stdexcept>

#include "tests/support/run_command.h"

namespace cowvet {
namespace {

constexpr QemuSample kSamples[] = {
    {"snapshots_bitmaps_and_compressed_clusters",
     "qemu-img create -q -f qcow2 -o cluster_size=4k a.qcow2 20M\n"
     "qemu-io -t unsafe -c 'write -P 1 0 200k' -c 'write -c -P 2 1M 64k' -c 'write -z 8M 64k' "
     "-c 'write -P 3 18M 8k' a.qcow2\n"
     "qemu-img snapshot -c one a.qcow2\n"
     "qemu-io -t unsafe -c 'write -P 4 64k 32k' -c 'write -c -P 5 10M 16k' a.qcow2\n"
     "qemu-img snapshot -c two a.qcow2\n"
     "qemu-io -t unsafe -c 'write -P 6 100k 4k' a.qcow2\n"
     "qemu-img bitmap --add -g 512 a.qcow2 zero\n"
     "qemu-img bitmap --add -g 64k a.qcow2 one\n"
     "qemu-io -t unsafe -c 'write -P 7 150k 9k' a.qcow2\n"},
    {"zstd_and_subclusters",
     "qemu-img create -q -f qcow2 -o cluster_size=16k,extended_l2=on,compression_type=zstd a.qcow2 40M\n"
     "qemu-io -t unsafe -c 'write -P 1 3k 5k' -c 'write -c -P 2 1M 64k' -c 'write -P 3 30M 40k' "
     "-c 'write -z 30M 2k' a.qcow2\n"
     "qemu-img snapshot -c one a.qcow2\n"
     "qemu-io -t unsafe -c 'write -P 4 30M 1k' a.qcow2\n"},
    {"version_2",
     "qemu-img create -q -f qcow2 -o cluster_size=512,compat=0.10 a.qcow2 1M\n"
     "qemu-io -t unsafe -c 'write -P 1 0 100k' -c 'write -c -P 2 200k 2k' a.qcow2\n"
     "qemu-img snapshot -c one a.qcow2\n"
     "qemu-io -t unsafe -c 'write -P 3 50k 10k' a.qcow2\n"},
    {"raw_data_file",
     "qemu-img create -q -f qcow2 -o cluster_size=4k,data_file=data,data_file_raw=on a.qcow2 6M\n"
     "qemu-io -t unsafe -c 'write -P 1 0 100k' -c 'write -P 2 5M 8k' -c 'write -z 5M 4k' a.qcow2\n"
     "qemu-img bitmap --add -g 512 a.qcow2 one\n"
     "qemu-io -t unsafe -c 'write -P 3 2M 10k' a.qcow2\n",
     "data"},
    {"data_file",
     "qemu-img create -q -f qcow2 -o cluster_size=64k,data_file=data a.qcow2 6M\n"
     "qemu-io -t unsafe -c 'write -P 1 64k 100k' a.qcow2\n",
     "data"},
};

}  // namespace

constinit const std::span<const QemuSample> kQemuSamples = kSamples;

void make_qemu_sample(const QemuSample& sample, const std::filesystem::path& directory) {
  const CommandResult made = run_script(sample.script, directory);
  if (made.status != 0) throw std::runtime_error(made.err);
}

}  // namespace cowvet
