/* Peer process: reads "m n k" lines, multiplies random matrices with OpenBLAS's sgemm, writes processor and wall seconds. */
#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(clockid_t id) {
  struct timespec t;
  clock_gettime(id, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static float *matrix(size_t n) {
  float *p = malloc(n * sizeof *p);
  if (p == NULL) exit(1);
  for (size_t i = 0; i < n; i++) p[i] = (float)((i * 2654435761u) % 1000) / 1000.0f - 0.5f;
  return p;
}

int main(void) {
  int m, n, k;
  while (scanf("%d %d %d", &m, &n, &k) == 3 && m > 0 && n > 0 && k > 0) {
    float *a = matrix((size_t)m * k), *b = matrix((size_t)k * n), *c = matrix((size_t)m * n);
    int reps = (int)(4e9 / (2.0 * m * n * k)) + 1;
    for (int warm = 1; warm >= 0; warm--) {
      double cpu = now(CLOCK_PROCESS_CPUTIME_ID), wall = now(CLOCK_MONOTONIC);
      int count = warm ? 1 : reps;
      for (int r = 0; r < count; r++)
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, n, k, 1.0f, a, k, b, n, 0.0f, c, n);
      cpu = now(CLOCK_PROCESS_CPUTIME_ID) - cpu, wall = now(CLOCK_MONOTONIC) - wall;
      if (!warm) printf("%.9f %.9f %.6g\n", cpu / reps, wall / reps, c[0]);
    }
    fflush(stdout);
    free(a), free(b), free(c);
  }
  return 0;
}
