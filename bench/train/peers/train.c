// The peer of bench/train: training steps of an MLP and a CNN in C, products by OpenBLAS, convolutions by im2col, everything between
// them in loops that the compiler vectorises (and OpenMP spreads over the threads), Adam fused into one pass over each parameter.
//
// A line "mlp N" or "cnn N" on standard input does N steps; the answer is: processor seconds, wall seconds, loss of the last step.
#include <cblas.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { SAMPLES = 1024, PIXELS = 784, CLASSES = 10 };

static unsigned long long state = 88172645463325252ull;
static unsigned rnd(void) {
  state ^= state << 13, state ^= state >> 7, state ^= state << 17;
  return state >> 33;
}
static float *floats(size_t n) {
  float *p = aligned_alloc(64, (n * 4 + 63) / 64 * 64);
  if (!p) exit(1);
  memset(p, 0, n * 4);
  return p;
}

// A parameter with its gradient and Adam's moments.
typedef struct {
  int n;
  float *w, *g, *m, *v;
} param;
static param make(int n, float std) {
  param p = {n, floats(n), floats(n), floats(n), floats(n)};
  for (int i = 0; i < n; i++) p.w[i] = std * ((float)(rnd() % 65536) / 32768 - 1) * 1.7f;
  return p;
}
static void adam(param *p, float lr, float c1, float c2) {
#pragma omp parallel for simd
  for (int i = 0; i < p->n; i++) {
    float g = p->g[i];
    p->m[i] = 0.9f * p->m[i] + 0.1f * g;
    p->v[i] = 0.999f * p->v[i] + 0.001f * g * g;
    p->w[i] -= lr * (p->m[i] / c1) / (sqrtf(p->v[i] / c2) + 1e-8f);
  }
}

static unsigned char *data, *labels;
static void draw(float *x, int *y, int batch) {
  for (int i = 0; i < batch; i++) {
    int k = rnd() % SAMPLES;
    y[i] = labels[k];
    for (int j = 0; j < PIXELS; j++) x[i * PIXELS + j] = data[k * PIXELS + j] / 255.0f;
  }
}

// y [b, out] = x [b, in] · wᵀ + bias, w [out, in]
static void linear(const float *x, param *w, param *bias, float *y, int b, int in, int out) {
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, b, out, in, 1, x, in, w->w, in, 0, y, out);
#pragma omp parallel for
  for (int i = 0; i < b; i++)
    for (int j = 0; j < out; j++) y[i * out + j] += bias->w[j];
}
// gradients of linear; dx may be null
static void linear_back(const float *x, param *w, param *bias, const float *dy, float *dx, int b, int in, int out) {
  cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, out, in, b, 1, dy, out, x, in, 0, w->g, in);
  memset(bias->g, 0, out * 4);
  for (int i = 0; i < b; i++)
    for (int j = 0; j < out; j++) bias->g[j] += dy[i * out + j];
  if (dx) cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, b, in, out, 1, dy, out, w->w, in, 0, dx, in);
}
static void relu(float *x, int n) {
#pragma omp parallel for simd
  for (int i = 0; i < n; i++) x[i] = x[i] > 0 ? x[i] : 0;
}
static void relu_back(const float *y, float *dy, int n) {
#pragma omp parallel for simd
  for (int i = 0; i < n; i++) dy[i] = y[i] > 0 ? dy[i] : 0;
}
// softmax cross-entropy; z becomes its gradient
static float loss_back(float *z, const int *y, int b) {
  float loss = 0;
  for (int i = 0; i < b; i++) {
    float *r = z + i * CLASSES, mx = r[0], s = 0;
    for (int j = 1; j < CLASSES; j++) mx = r[j] > mx ? r[j] : mx;
    for (int j = 0; j < CLASSES; j++) s += expf(r[j] - mx);
    loss -= r[y[i]] - mx - logf(s);
    for (int j = 0; j < CLASSES; j++) r[j] = (expf(r[j] - mx) / s - (j == y[i])) / b;
  }
  return loss / b;
}

enum { MB = 128, H = 512 };
static param mp[6];
static float *mx0, *mh1, *mh2, *mz, *md1, *md2;
static int my[MB];
static void mlp_init(void) {
  int in[] = {PIXELS, H, H}, out[] = {H, H, CLASSES};
  for (int i = 0; i < 3; i++) mp[2 * i] = make(out[i] * in[i], sqrtf(2.0f / in[i])), mp[2 * i + 1] = make(out[i], 0);
  mx0 = floats(MB * PIXELS), mh1 = floats(MB * H), mh2 = floats(MB * H), mz = floats(MB * CLASSES), md1 = floats(MB * H), md2 = floats(MB * H);
}
static float mlp_step(float c1, float c2) {
  draw(mx0, my, MB);
  linear(mx0, mp, mp + 1, mh1, MB, PIXELS, H);
  relu(mh1, MB * H);
  linear(mh1, mp + 2, mp + 3, mh2, MB, H, H);
  relu(mh2, MB * H);
  linear(mh2, mp + 4, mp + 5, mz, MB, H, CLASSES);
  float loss = loss_back(mz, my, MB);
  linear_back(mh2, mp + 4, mp + 5, mz, md2, MB, H, CLASSES);
  relu_back(mh2, md2, MB * H);
  linear_back(mh1, mp + 2, mp + 3, md2, md1, MB, H, H);
  relu_back(mh1, md1, MB * H);
  linear_back(mx0, mp, mp + 1, md1, 0, MB, PIXELS, H);
  for (int i = 0; i < 6; i++) adam(mp + i, 1e-3f, c1, c2);
  return loss;
}

// col [c·9, s·s] of x [c, s, s], 3×3 with padding 1
static void im2col(const float *x, float *col, int c, int s) {
  for (int ch = 0; ch < c; ch++)
    for (int ky = 0; ky < 3; ky++)
      for (int kx = 0; kx < 3; kx++, col += s * s)
        for (int y = 0; y < s; y++) {
          int sy = y + ky - 1, lo = kx == 0, hi = kx == 2 ? s - 1 : s;
          float *o = col + y * s;
          if (sy < 0 || sy >= s) {
            memset(o, 0, s * 4);
            continue;
          }
          o[0] = o[s - 1] = 0;
          memcpy(o + lo, x + ch * s * s + sy * s + lo + kx - 1, (hi - lo) * 4);
        }
}
static void col2im(const float *col, float *x, int c, int s) {
  memset(x, 0, c * s * s * 4);
  for (int ch = 0; ch < c; ch++)
    for (int ky = 0; ky < 3; ky++)
      for (int kx = 0; kx < 3; kx++, col += s * s)
        for (int y = 0; y < s; y++) {
          int sy = y + ky - 1, lo = kx == 0, hi = kx == 2 ? s - 1 : s;
          if (sy < 0 || sy >= s) continue;
          float *o = x + ch * s * s + sy * s + kx - 1;
          for (int i = lo; i < hi; i++) o[i] += col[y * s + i];
        }
}
enum { CB = 64, F1 = 16, F2 = 32, S1 = 28, S2 = 14, S3 = 7, CH = 64, FLAT = F2 * S3 * S3 };
static param cp[8];
static float *cx, *c1v, *p1, *c2v, *p2, *hh, *cz, *dh, *dp2, *dc2, *dp1, *dc1, *cols1, *cols2, *dcol;
static unsigned char *i1, *i2;
static int cy[CB];
static void cnn_init(void) {
  cp[0] = make(F1 * 9, sqrtf(2.0f / 9)), cp[1] = make(F1, 0), cp[2] = make(F2 * F1 * 9, sqrtf(2.0f / (9 * F1))), cp[3] = make(F2, 0);
  cp[4] = make(CH * FLAT, sqrtf(2.0f / FLAT)), cp[5] = make(CH, 0), cp[6] = make(CLASSES * CH, sqrtf(2.0f / CH)), cp[7] = make(CLASSES, 0);
  cx = floats(CB * PIXELS), c1v = floats(CB * F1 * S1 * S1), p1 = floats(CB * F1 * S2 * S2), c2v = floats(CB * F2 * S2 * S2), p2 = floats(CB * FLAT);
  hh = floats(CB * CH), cz = floats(CB * CLASSES), dh = floats(CB * CH), dp2 = floats(CB * FLAT), dc2 = floats(CB * F2 * S2 * S2);
  dp1 = floats(CB * F1 * S2 * S2), dc1 = floats(CB * F1 * S1 * S1), cols1 = floats((size_t)CB * 9 * S1 * S1), cols2 = floats((size_t)CB * 9 * F1 * S2 * S2);
  dcol = floats(9 * F1 * S2 * S2), i1 = malloc(CB * F1 * S2 * S2), i2 = malloc(CB * FLAT);
}
// relu and 2×2 maximum in one pass, with where it came from
static void pool(const float *x, float *y, unsigned char *at, int planes, int s) {
#pragma omp parallel for
  for (int p = 0; p < planes; p++)
    for (int r = 0; r < s / 2; r++)
      for (int c = 0; c < s / 2; c++) {
        const float *q = x + p * s * s + 2 * r * s + 2 * c;
        float v[4] = {q[0], q[1], q[s], q[s + 1]}, best = v[0];
        int k = 0;
        for (int i = 1; i < 4; i++)
          if (v[i] > best) best = v[i], k = i;
        int o = p * s * s / 4 + r * s / 2 + c;
        y[o] = best > 0 ? best : 0, at[o] = best > 0 ? k : 4;
      }
}
static void pool_back(const float *dy, const unsigned char *at, float *dx, int planes, int s) {
  memset(dx, 0, (size_t)planes * s * s * 4);
#pragma omp parallel for
  for (int p = 0; p < planes; p++)
    for (int r = 0; r < s / 2; r++)
      for (int c = 0; c < s / 2; c++) {
        int o = p * s * s / 4 + r * s / 2 + c, k = at[o];
        if (k < 4) dx[p * s * s + (2 * r + k / 2) * s + 2 * c + k % 2] = dy[o];
      }
}
static void conv(const float *x, float *cols, param *w, param *b, float *y, int c, int f, int s) {
  int hw = s * s;
  for (int i = 0; i < CB; i++) {
    float *col = cols + (size_t)i * 9 * c * hw, *o = y + (size_t)i * f * hw;
    im2col(x + (size_t)i * c * hw, col, c, s);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, f, hw, 9 * c, 1, w->w, 9 * c, col, hw, 0, o, hw);
    for (int j = 0; j < f; j++)
      for (int k = 0; k < hw; k++) o[j * hw + k] += b->w[j];
  }
}
static void conv_back(const float *cols, param *w, param *b, const float *dy, float *dx, int c, int f, int s) {
  int hw = s * s;
  memset(b->g, 0, f * 4);
  for (int i = 0; i < CB; i++) {
    const float *col = cols + (size_t)i * 9 * c * hw, *d = dy + (size_t)i * f * hw;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, f, 9 * c, hw, 1, d, hw, col, hw, i > 0, w->g, 9 * c);
    for (int j = 0; j < f; j++) {
      float s2 = 0;
      for (int k = 0; k < hw; k++) s2 += d[j * hw + k];
      b->g[j] += s2;
    }
    if (!dx) continue;
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, 9 * c, hw, f, 1, w->w, 9 * c, d, hw, 0, dcol, hw);
    col2im(dcol, dx + (size_t)i * c * hw, c, s);
  }
}
static float cnn_step(float b1, float b2) {
  draw(cx, cy, CB);
  conv(cx, cols1, cp, cp + 1, c1v, 1, F1, S1);
  pool(c1v, p1, i1, CB * F1, S1);
  conv(p1, cols2, cp + 2, cp + 3, c2v, F1, F2, S2);
  pool(c2v, p2, i2, CB * F2, S2);
  linear(p2, cp + 4, cp + 5, hh, CB, FLAT, CH);
  relu(hh, CB * CH);
  linear(hh, cp + 6, cp + 7, cz, CB, CH, CLASSES);
  float loss = loss_back(cz, cy, CB);
  linear_back(hh, cp + 6, cp + 7, cz, dh, CB, CH, CLASSES);
  relu_back(hh, dh, CB * CH);
  linear_back(p2, cp + 4, cp + 5, dh, dp2, CB, FLAT, CH);
  pool_back(dp2, i2, dc2, CB * F2, S2);
  conv_back(cols2, cp + 2, cp + 3, dc2, dp1, F1, F2, S2);
  pool_back(dp1, i1, dc1, CB * F1, S1);
  conv_back(cols1, cp, cp + 1, dc1, 0, 1, F1, S1);
  for (int i = 0; i < 8; i++) adam(cp + i, 1e-3f, b1, b2);
  return loss;
}

static double cpu(void) {
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  return u.ru_utime.tv_sec + u.ru_stime.tv_sec + (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}
static double wall(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

int main(void) {
  char what[8];
  int n;
  data = malloc(SAMPLES * PIXELS), labels = malloc(SAMPLES);
  for (int i = 0; i < SAMPLES * PIXELS; i++) data[i] = rnd();
  for (int i = 0; i < SAMPLES; i++) labels[i] = rnd() % CLASSES;
  mlp_init(), cnn_init();
  float b[2][2] = {{1, 1}, {1, 1}};
  while (scanf("%7s %d", what, &n) == 2) {
    int cnn = what[0] == 'c';
    double c0 = cpu(), w0 = wall();
    float loss = 0;
    for (int i = 0; i < n; i++) {
      b[cnn][0] *= 0.9f, b[cnn][1] *= 0.999f;
      loss = (cnn ? cnn_step : mlp_step)(1 - b[cnn][0], 1 - b[cnn][1]);
    }
    printf("%.9f %.9f %.6f\n", cpu() - c0, wall() - w0, loss);
    fflush(stdout);
  }
  return 0;
}
