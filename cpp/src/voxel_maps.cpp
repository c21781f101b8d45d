#include "isthmus/voxel_maps.hpp"

#include <stdexcept>
#include <string>

#include "isthmus/discretise.hpp"
#include "isthmus/parallel.hpp"

namespace isthmus {

void voxel_maps(const MaskView& targets, const MaskView& kernel_mask, const ImageView& image, std::array<double, 3> spacing,
                std::span<const double> edges, const Kernel& kernel, WindowRules rules, std::span<const Index> places, double* out,
                unsigned workers, const Kernels& kernels) {
    if (targets.shape != image.shape || kernel_mask.shape != image.shape)
        throw std::invalid_argument("image box and mask boxes have different shapes");
    const Region region(targets, spacing);
    const KernelVolume volume = [&] {
        const Region held(kernel_mask, spacing);
        const Sample sample(held, image);
        if (sample.not_finite > 0) throw std::invalid_argument(std::to_string(sample.not_finite) + " voxels of the kernels are NaN or infinite");
        Workspace work;
        discretise(held, sample, edges, work);
        return KernelVolume(held, sample, work, kernel);
    }();
    rules.voxel_volume = spacing[0] * spacing[1] * spacing[2];
    const Index voxels = region.shape[0] * region.shape[1] * region.shape[2];
    in_parallel(
        static_cast<Index>(region.runs.size()), workers, [&] { return Window(volume); },
        [&](Window& window, Index r) {
            const Run& run = region.runs[static_cast<std::size_t>(r)];
            const Index k = run.offset / region.step[0] - 1, rest = run.offset % region.step[0];
            const Index j = rest / region.step[1] - 1, i = rest % region.step[1] - 1;
            double* to = out + (k * region.shape[1] + j) * region.shape[2] + i;
            std::array<double, window_features> values;
            for (Index x = 0; x < run.length; ++x) {
                window.measure(volume.offset(k, j, i + x), rules, kernels, values);
                for (std::size_t m = 0; m < places.size(); ++m)
                    to[static_cast<Index>(m) * voxels + x] = values[static_cast<std::size_t>(places[m])];
            }
        });
}

}  // namespace isthmus
