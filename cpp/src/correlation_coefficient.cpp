#include "isthmus/correlation_coefficient.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>

namespace isthmus {

namespace {

constexpr double epsilon = std::numeric_limits<double>::epsilon();

struct Entry {
    std::uint32_t row, column;
    double p;  // probability of the ordered pair (row, column); off the diagonal (column, row) has the same
};

// B(i, j) = p(i, j) / sqrt(p_i p_j): dense up to some hundred levels, else the list of its entries.
class SymmetricMatrix {
public:
    SymmetricMatrix(const std::vector<Entry>& entries, const std::vector<double>& root, const Kernels& kernels)
        : entries_(entries), root_(root), kernels_(kernels), n_(static_cast<Index>(root.size())), stride_((n_ + 7) / 8 * 8) {
        if (n_ > 600) return;
        dense_.assign(static_cast<std::size_t>(n_ * stride_), 0.0);
        for (const Entry& e : entries) {
            const double b = e.p / (root[e.row] * root[e.column]);
            dense_[static_cast<std::size_t>(e.row * stride_ + e.column)] = b;
            dense_[static_cast<std::size_t>(e.column * stride_ + e.row)] = b;
        }
    }
    Index size() const { return n_; }
    Index stride() const { return stride_; }
    void multiply(const double* x, double* y) const {
        if (!dense_.empty()) {
            kernels_.multiply(dense_.data(), stride_, n_, x, y);
            return;
        }
        std::fill(y, y + stride_, 0.0);
        for (const Entry& e : entries_) {
            const double b = e.p / (root_[e.row] * root_[e.column]);
            y[e.row] += b * x[e.column];
            if (e.row != e.column) y[e.column] += b * x[e.row];
        }
    }

private:
    const std::vector<Entry>& entries_;
    const std::vector<double>& root_;
    const Kernels& kernels_;
    Index n_, stride_;
    std::vector<double> dense_;
};

double dot(const double* a, const double* b, Index n) {
    double lane[4] = {};
    Index i = 0;
    for (; i + 4 <= n; i += 4)
        for (int l = 0; l < 4; ++l) lane[l] += a[i + l] * b[i + l];
    for (; i < n; ++i) lane[0] += a[i] * b[i];
    return (lane[0] + lane[1]) + (lane[2] + lane[3]);
}

void subtract(double* a, const double* b, double factor, Index n) {
    for (Index i = 0; i < n; ++i) a[i] -= factor * b[i];
}

// Eigenvalue of largest magnitude of a symmetric tridiagonal matrix, and its unit eigenvector: bisection, then inverse iteration.
double largest_ritz(const std::vector<double>& alpha, const std::vector<double>& beta, std::size_t n, std::vector<double>& vector) {
    double bound = 0;
    for (std::size_t i = 0; i < n; ++i)
        bound = std::max(bound, std::abs(alpha[i]) + (i > 0 ? std::abs(beta[i - 1]) : 0) + (i + 1 < n ? std::abs(beta[i]) : 0));
    std::vector<double> squared(n, 0.0);
    for (std::size_t i = 1; i < n; ++i) squared[i] = beta[i - 1] * beta[i - 1];
    // number of eigenvalues > x, for several x at a time: each is a chain of divisions that wait for one another
    auto above = [&](const std::array<double, 4>& x) {
        std::array<std::size_t, 4> count{};
        std::array<double, 4> q;
        for (std::size_t l = 0; l < 4; ++l) {
            q[l] = alpha[0] - x[l];
            count[l] += q[l] > 0;
        }
        for (std::size_t i = 1; i < n; ++i)
            for (std::size_t l = 0; l < 4; ++l) {
                q[l] = alpha[i] - x[l] - squared[i] / (q[l] == 0 ? 1e-300 : q[l]);
                count[l] += q[l] > 0;
            }
        return count;
    };
    // bisect on the largest, and on the smallest, to full precision; the one of larger magnitude counts
    auto bisect = [&](std::size_t wanted) {
        double low = -bound * (1 + 1e-12) - 1e-300, high = bound * (1 + 1e-12) + 1e-300;
        for (int step = 0; step < 54; step += 2) {  // two halvings at a time: the middle, and the middles of both halves
            const double middle = 0.5 * (low + high), lower = 0.5 * (low + middle), upper = 0.5 * (middle + high);
            const auto count = above({middle, lower, upper, upper});
            const bool right = count[0] >= wanted;
            const double second = right ? upper : lower;
            (right ? low : high) = middle;
            (count[right ? 2 : 1] >= wanted ? low : high) = second;
        }
        return 0.5 * (low + high);
    };
    const double top = bisect(1), bottom = n > 1 && above({-std::abs(top)})[0] < n ? bisect(n) : top;
    const double theta = std::abs(bottom) > std::abs(top) ? bottom : top;

    // two steps of inverse iteration, Gaussian elimination with row exchanges
    vector.assign(n, 1.0 / std::sqrt(static_cast<double>(n)));
    std::vector<double> d(n), u(n), w(n), x(n);
    for (int step = 0; step < 2; ++step) {
        x = vector;
        double current = alpha[0] - theta, next = n > 1 ? beta[0] : 0;
        std::fill(w.begin(), w.end(), 0.0);
        for (std::size_t i = 0; i + 1 < n; ++i) {
            const double lower = beta[i], diagonal = alpha[i + 1] - theta, upper = i + 2 < n ? beta[i + 1] : 0;
            if (std::abs(lower) > std::abs(current)) {
                const double factor = current / lower;
                d[i] = lower;
                u[i] = diagonal;
                w[i] = upper;
                std::swap(x[i], x[i + 1]);
                x[i + 1] -= factor * x[i];
                current = next - factor * diagonal;
                next = -factor * upper;
            } else {
                if (std::abs(current) < 1e-300) current = 1e-300;
                const double factor = lower / current;
                d[i] = current;
                u[i] = next;
                w[i] = 0;
                x[i + 1] -= factor * x[i];
                current = diagonal - factor * next;
                next = upper;
            }
        }
        const double tiny = std::max(bound, 1e-30) * 1e-17;
        d[n - 1] = std::abs(current) < tiny ? tiny : current;
        for (std::size_t i = n; i-- > 0;) {
            double value = x[i];
            if (i + 1 < n) value -= u[i] * vector[i + 1];
            if (i + 2 < n) value -= w[i] * vector[i + 2];
            vector[i] = value / d[i];
        }
        const double norm = std::sqrt(dot(vector.data(), vector.data(), static_cast<Index>(n)));
        for (double& v : vector) v /= norm;
    }
    return theta;
}

// The levels that occur in a marginal, their probabilities and the square roots of these.
struct Active {
    std::vector<std::uint32_t> level, index;  // index[level[n]] = n
    std::vector<double> p, root;

    Active(const std::vector<double>& marginal, double total) : index(marginal.size(), 0) {
        for (std::uint32_t k = 1; k < marginal.size(); ++k)
            if (marginal[k] > 0) {
                index[k] = static_cast<std::uint32_t>(level.size());
                level.push_back(k);
                p.push_back(marginal[k] / total);
                root.push_back(std::sqrt(p.back()));
            }
    }
    Index size() const { return static_cast<Index>(level.size()); }
};

// Which level is linked to which, directly or through others.
class Links {
public:
    explicit Links(std::size_t n) : parent_(n), components_(n) { std::iota(parent_.begin(), parent_.end(), 0u); }
    void join(std::uint32_t a, std::uint32_t b) {
        if (components_ == 1) return;
        const std::uint32_t ra = find(a), rb = find(b);
        if (ra == rb) return;
        parent_[std::max(ra, rb)] = std::min(ra, rb);
        --components_;
    }
    std::size_t components() const { return components_; }
    // the number of its component, of each
    std::vector<std::uint32_t> numbers() {
        std::vector<std::uint32_t> component(parent_.size()), number(parent_.size(), 0);
        std::uint32_t next = 0;
        for (std::uint32_t i = 0; i < parent_.size(); ++i) {
            const std::uint32_t r = find(i);
            if (r == i) number[i] = next++;
            component[i] = number[r];
        }
        return component;
    }

private:
    std::uint32_t find(std::uint32_t a) {
        while (parent_[a] != a) a = parent_[a] = parent_[parent_[a]];
        return a;
    }
    std::vector<std::uint32_t> parent_;
    std::size_t components_;
};

// Several components, each with the eigenvalue 1 less its own first-order effect of eps: the second largest of these.
double of_components(std::vector<double> mass, std::vector<double> effect) {
    std::vector<double> eigenvalue(mass.size());
    for (std::size_t c = 0; c < mass.size(); ++c) eigenvalue[c] = 1 - epsilon * effect[c] / mass[c];
    std::nth_element(eigenvalue.begin(), eigenvalue.begin() + 1, eigenvalue.end(), std::greater<>());
    return std::sqrt(std::max(eigenvalue[1], 0.0));
}

// A vector to start from: the previous one or, without, the levels themselves, and a little of what these may lack.
std::vector<double> beginning(const Active& active, const std::vector<double>& value, const std::vector<double>& guess, Index stride) {
    std::vector<double> start(static_cast<std::size_t>(stride), 0.0);
    const Index m = active.size();
    double mean = 0;
    for (Index i = 0; i < m; ++i) mean += active.p[static_cast<std::size_t>(i)] * value[active.level[static_cast<std::size_t>(i)]];
    double scale = 0, spread = 0;
    for (Index i = 0; i < m; ++i) {
        const std::size_t s = static_cast<std::size_t>(i);
        const double own = value[active.level[s]] - mean;
        scale += guess[active.level[s]] * guess[active.level[s]];
        spread += active.p[s] * own * own;
    }
    for (Index i = 0; i < m; ++i) {
        const std::size_t s = static_cast<std::size_t>(i);
        const double linear = active.root[s] * (value[active.level[s]] - mean) / std::sqrt(spread);
        // multiples of the golden ratio, their fractions: no straight line and no symmetry, which the matrix could share
        const double turn = static_cast<double>(i) * 0.61803398874989485;
        const double ripple = active.root[s] * 0.25 * (turn - std::floor(turn) - 0.5);
        start[s] = (scale > 1e-12 ? guess[active.level[s]] / std::sqrt(scale) + 0.05 * linear : linear) + ripple;
    }
    return start;
}

struct Eigenpair {
    double value = 0;
    std::vector<double> vector;  // empty: there is none
};

// The eigenvalue of largest magnitude of a symmetric matrix beside the known eigenvector `root`: Lanczos, orthogonalised fully.
// `multiply(x, y)` writes the product; x and y hold `stride` numbers.
template <class Multiply>
Eigenpair beside(const std::vector<double>& root, std::vector<double> start, Index stride, const Multiply& multiply) {
    const Index m = static_cast<Index>(root.size());
    std::vector<double> basis, work(static_cast<std::size_t>(stride), 0.0);
    basis.reserve(static_cast<std::size_t>(stride * 48));
    auto orthogonalise = [&](double* x, std::size_t vectors) {
        for (int twice = 0; twice < 2; ++twice) {
            subtract(x, root.data(), dot(x, root.data(), m), m);
            for (std::size_t v = 0; v < vectors; ++v) {
                const double* q = basis.data() + v * static_cast<std::size_t>(stride);
                subtract(x, q, dot(x, q, m), m);
            }
        }
    };
    orthogonalise(start.data(), 0);
    double norm = std::sqrt(dot(start.data(), start.data(), m));
    if (norm < 1e-12) return {};
    for (double& v : start) v /= norm;
    basis.insert(basis.end(), start.begin(), start.end());
    std::vector<double> alpha, beta, ritz;
    Eigenpair found;
    for (Index step = 1;; ++step) {
        const std::size_t current = static_cast<std::size_t>(step - 1) * static_cast<std::size_t>(stride);
        multiply(basis.data() + current, work.data());
        alpha.push_back(dot(work.data(), basis.data() + current, m));
        orthogonalise(work.data(), static_cast<std::size_t>(step));
        const double rest = std::sqrt(dot(work.data(), work.data(), m));
        const bool exhausted = step >= m - 1 || rest < 1e-9;
        if (exhausted || (step >= 6 && step % 2 == 0)) {
            found.value = largest_ritz(alpha, beta, alpha.size(), ritz);
            if (exhausted || rest * std::abs(ritz.back()) < 1e-5) break;
        }
        beta.push_back(rest);
        for (Index i = 0; i < stride; ++i) basis.push_back(work[static_cast<std::size_t>(i)] / rest);
    }
    found.vector.assign(static_cast<std::size_t>(m), 0.0);
    for (std::size_t v = 0; v < ritz.size(); ++v)
        subtract(found.vector.data(), basis.data() + v * static_cast<std::size_t>(stride), -ritz[v], m);
    return found;
}

double of_symmetric(const std::vector<Entry>& entries, const Active& active, const std::vector<double>& value,
                    std::vector<double>& guess, const Kernels& kernels) {
    const std::vector<double>& p = active.p;
    Links links(p.size());
    for (const Entry& e : entries) links.join(e.row, e.column);
    if (links.components() > 1) {
        const std::vector<std::uint32_t> component = links.numbers();
        std::vector<double> mass(links.components(), 0.0), effect(links.components(), 0.0);
        for (std::size_t i = 0; i < p.size(); ++i) mass[component[i]] += p[i];
        for (const Entry& e : entries)
            effect[component[e.row]] += (e.row == e.column ? 1.0 : 2.0) * e.p / (p[e.row] * p[e.column]);
        return of_components(mass, effect);
    }
    const SymmetricMatrix b(entries, active.root, kernels);
    const Eigenpair found = beside(active.root, beginning(active, value, guess, b.stride()), b.stride(),
                                   [&](const double* x, double* y) { b.multiply(x, y); });
    if (found.vector.empty()) return 0;
    const double theta = found.value;
    std::fill(guess.begin(), guess.end(), 0.0);
    for (std::size_t i = 0; i < p.size(); ++i) guess[active.level[i]] = found.vector[i];

    // first-order effect of eps in the denominator: -eps mu t'Bt with t = s / p
    double product = 0;
    for (const Entry& e : entries) {
        const double ti = found.vector[e.row] / p[e.row], tj = found.vector[e.column] / p[e.column];
        product += (e.row == e.column ? 1.0 : 2.0) * ti * tj * e.p / (active.root[e.row] * active.root[e.column]);
    }
    const double squared = theta * theta - epsilon * theta * product;
    return squared > 0 ? std::sqrt(squared) : 0;
}

}  // namespace

double maximal_correlation(const std::vector<PairCell>& pairs, const std::vector<double>& marginal, double total,
                           const std::vector<double>& value, std::vector<double>& guess, const Kernels& kernels) {
    const Active active(marginal, total);
    if (active.size() < 2) return 0;
    std::vector<Entry> entries;
    entries.reserve(pairs.size());
    for (const PairCell& cell : pairs)
        entries.push_back({active.index[cell.high], active.index[cell.low], (cell.high == cell.low ? 2.0 : 1.0) * cell.count / total});
    return of_symmetric(entries, active, value, guess, kernels);
}

double maximal_correlation(const CountMatrix& pairs, double scale, const std::vector<double>& rows, const std::vector<double>& columns,
                           const std::vector<double>& value) {
    const Active row(rows, 1), column(columns, 1);
    if (row.size() < 2) return 0;
    // C(i, k) = p(i, k) / sqrt(p_i p_k) * sqrt(w), w = p_i p_k / (p_i p_k + eps): C C' has the eigenvalues of Q, but for terms of the
    // order of eps
    std::vector<Entry> entries;
    entries.reserve(pairs.size());
    Links links(row.p.size() + column.p.size());
    const std::uint32_t behind = static_cast<std::uint32_t>(row.p.size());
    for (const CountCell& cell : pairs) {
        const std::uint32_t i = row.index[cell.row], k = column.index[cell.column];
        entries.push_back({i, k, cell.count * scale / std::sqrt(row.p[i] * column.p[k] + epsilon)});
        links.join(i, behind + k);
    }
    // the known eigenvector, of the heaviest component where there are several
    const std::vector<std::uint32_t> component = links.numbers();
    std::vector<double> mass(links.components(), 0.0);
    for (std::size_t i = 0; i < row.p.size(); ++i) mass[component[i]] += row.p[i];
    const std::uint32_t heaviest = static_cast<std::uint32_t>(std::max_element(mass.begin(), mass.end()) - mass.begin());
    std::vector<double> known(row.root);
    for (std::size_t i = 0; i < known.size(); ++i) known[i] = component[i] == heaviest ? known[i] / std::sqrt(mass[heaviest]) : 0;

    std::vector<double> between(column.p.size());
    auto multiply = [&](const double* x, double* y) {
        std::fill(between.begin(), between.end(), 0.0);
        std::fill(y, y + row.size(), 0.0);
        for (const Entry& e : entries) between[e.column] += e.p * x[e.row];
        for (const Entry& e : entries) y[e.row] += e.p * between[e.column];
    };
    std::vector<double> start = beginning(row, value, std::vector<double>(value.size(), 0.0), row.size());
    const Eigenpair found = beside(known, std::move(start), row.size(), multiply);
    return std::sqrt(std::max(found.value, 0.0));
}

namespace {

// Whether the levels with a non-zero marginal form one component; `neighbours` holds a bit per level.
bool connected(const std::vector<std::uint64_t>& neighbours) {
    std::uint64_t all = 0, reached = 0;
    for (std::size_t i = 0; i < neighbours.size(); ++i) all |= static_cast<std::uint64_t>(neighbours[i] != 0) << i;
    std::uint64_t fresh = all & (~all + 1);
    while (fresh != 0) {
        reached |= fresh;
        std::uint64_t next = 0;
        for (; fresh != 0; fresh &= fresh - 1) next |= neighbours[static_cast<std::size_t>(std::countr_zero(fresh))];
        fresh = next & ~reached;
    }
    return reached == all;
}

// Directions with their pairs, waiting until eight fill the lanes.
class Lanes {
public:
    Lanes(std::size_t levels, const Kernels& kernels, CorrelationScratch& scratch, std::span<double> result)
        : n_(levels), kernels_(kernels), scratch_(scratch), result_(result) {
        scratch.tridiagonal.resize(levels * 6);
        clear();
    }
    void add(std::size_t direction, const std::vector<PairCell>& pairs, double total) {
        for (const PairCell& cell : pairs) {
            const std::size_t i = scratch_.number[cell.high], j = scratch_.number[cell.low];
            scratch_.matrices[i * (i + 1) / 2 + j].lane[used_] = (i == j ? 2.0 : 1.0) * cell.count;
        }
        for (std::size_t i = 0; i < n_; ++i) scratch_.lane_marginal[i].lane[used_] = scratch_.marginal[i];
        total_.lane[used_] = total;
        direction_[used_] = direction;
        if (++used_ == 8) {
            solve();
            clear();
        }
    }
    void solve() {
        if (used_ == 0) return;
        LaneOfEight magnitude;
        kernels_.second_eigenvalues(scratch_.matrices.data()->lane, static_cast<Index>(n_), scratch_.lane_marginal.data()->lane, total_.lane,
                                    scratch_.tridiagonal.data()->lane, magnitude.lane);
        for (std::size_t l = 0; l < used_; ++l) result_[direction_[l]] = magnitude.lane[l];
    }

private:
    void clear() {
        used_ = 0;
        total_ = {};
        scratch_.matrices.assign(n_ * (n_ + 1) / 2, {});
        scratch_.lane_marginal.assign(n_, {});
    }

    std::size_t n_, used_ = 0;
    LaneOfEight total_{};
    std::array<std::size_t, 8> direction_{};
    const Kernels& kernels_;
    CorrelationScratch& scratch_;
    std::span<double> result_;
};

constexpr std::size_t few_levels = 40;
constexpr double few_pairs = 65536;  // the effect of eps on the eigenvalue, at most eps times this, is not followed

}  // namespace

void maximal_correlations(std::span<const std::vector<PairCell>* const> matrices, const Levels& levels, const Kernels& kernels,
                          CorrelationScratch& scratch, std::span<double> result) {
    std::fill(result.begin(), result.end(), 0.0);
    scratch.number.assign(levels.value.size(), 0);
    std::size_t n = 0;
    for (std::size_t k = 1; k < levels.value.size(); ++k)
        if (levels.voxels[k] > 0) scratch.number[k] = static_cast<std::uint32_t>(n++);
    if (n < 2) return;
    scratch.total.assign(matrices.size(), 0.0);
    double most = 0;
    for (std::size_t d = 0; d < matrices.size(); ++d) {
        for (const PairCell& cell : *matrices[d]) scratch.total[d] += 2.0 * cell.count;
        most = std::max(most, scratch.total[d]);
    }
    if (n > few_levels || most > few_pairs) {
        scratch.guess.assign(levels.value.size(), 0.0);
        for (std::size_t d = 0; d < matrices.size(); ++d) {
            if (matrices[d]->empty()) continue;
            scratch.marginal.assign(levels.value.size(), 0.0);
            for (const PairCell& cell : *matrices[d]) {
                scratch.marginal[cell.high] += cell.count;
                scratch.marginal[cell.low] += cell.count;
            }
            result[d] = maximal_correlation(*matrices[d], scratch.marginal, scratch.total[d], levels.value, scratch.guess, kernels);
        }
        return;
    }
    Lanes lanes(n, kernels, scratch, result);
    for (std::size_t d = 0; d < matrices.size(); ++d) {
        const std::vector<PairCell>& pairs = *matrices[d];
        if (pairs.empty()) continue;
        scratch.marginal.assign(n, 0.0);
        scratch.neighbours.assign(n, 0);
        for (const PairCell& cell : pairs) {
            const std::uint32_t i = scratch.number[cell.high], j = scratch.number[cell.low];
            scratch.marginal[i] += cell.count;
            scratch.marginal[j] += cell.count;
            scratch.neighbours[i] |= std::uint64_t{1} << j;
            scratch.neighbours[j] |= std::uint64_t{1} << i;
        }
        const auto occurring = std::count_if(scratch.marginal.begin(), scratch.marginal.end(), [](double m) { return m > 0; });
        if (occurring < 2) continue;
        if (!connected(scratch.neighbours))
            result[d] = 1;
        else
            lanes.add(d, pairs, scratch.total[d]);
    }
    lanes.solve();
}

}  // namespace isthmus
