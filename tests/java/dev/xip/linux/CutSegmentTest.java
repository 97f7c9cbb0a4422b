package dev.xip.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.testing.Images;
import dev.xip.testing.Processes;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.io.TempDir;

/** The file of a segment is cut or damaged while programs run from it. */
@Timeout(value = 1, unit = TimeUnit.MINUTES, threadMode = ThreadMode.SEPARATE_THREAD)
class CutSegmentTest {
  private static final int PAGE = 4096;
  private static final int FILE_PAGES = 64;

  /** The pages of the file that are left. */
  private static final int LEFT_PAGES = 16;

  /** Where mke2fs puts inodes and directories of so small a tree. */
  private static final long METADATA = 256 << 10;

  private static final int ROUNDS = 8;

  /** The instruction RET. */
  private static final byte RETURN = (byte) 0xc3;

  private static final String SOURCE =
      """
      #include <errno.h>
      #include <fcntl.h>
      #include <immintrin.h>
      #include <setjmp.h>
      #include <signal.h>
      #include <stdio.h>
      #include <stdlib.h>
      #include <string.h>
      #include <sys/mman.h>
      #include <sys/wait.h>
      #include <unistd.h>

      static sigjmp_buf back;
      static char *map;

      static void bus(int sig, siginfo_t *info, void *context) {
        siglongjmp(back, sig);
      }

      static void load(void) {
        while (*(volatile char *)(map + 60 * 4096)) {
        }
      }

      __attribute__((target("avx"))) static void vector(void) {
        static char to[32];
        _mm256_storeu_si256((__m256i *)to, _mm256_loadu_si256((__m256i *)(map + 61 * 4096)));
        if (to[3] != map[0]) puts("other bytes");
      }

      static void fetch(void) {
        ((void (*)(void))(map + 62 * 4096))();
      }

      static void attempt(const char *what, void (*access)(void)) {
        int sig = sigsetjmp(back, 1);
        if (sig == 0) access();
        printf("%s: %d\\n", what, sig);
      }

      int main(void) {
        static char bytes[4096];
        int status, fd = open("/file", O_RDONLY);
        map = mmap(NULL, 64 * 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
        struct sigaction act = {.sa_sigaction = bus, .sa_flags = SA_SIGINFO};
        vector();
        fetch();
        puts("ready");
        fflush(stdout);
        pid_t child = fork();
        if (child == 0) load();
        sigaction(SIGBUS, &act, NULL);
        attempt("load", load);
        waitpid(child, &status, 0);
        printf("child: %d\\n", WTERMSIG(status));
        __builtin_cpu_init();
        if (__builtin_cpu_supports("avx")) attempt("vector", vector);
        else puts("vector: 7");
        attempt("fetch", fetch);
        printf("read: %d\\n", pread(fd, bytes, 4096, 59 * 4096) < 0 ? errno : 0);
        ssize_t left = pread(fd, bytes, 4096, 8192);
        printf("left: %zd %d\\n", left, bytes[5] == map[4096]);
        ((void (*)(void))(map + 4096))();
        return 7;
      }
      """;

  @TempDir Path folder;
  private ProgramsOfTheHost root;

  @BeforeEach
  void boot() throws IOException {
    root = new ProgramsOfTheHost(folder, List.of("/bin/dash", "/bin/cat"));
    Path source = Files.writeString(folder.resolve("cut.c"), SOURCE);
    Processes.run(
        "gcc", "-O1", "-w", "-o", root.tree().resolve("cut").toString(), source.toString());
    Files.writeString(root.tree().resolve("poem"), "line\n");
    Path image = Images.ext2(root.tree());
    byte[] bytes = new byte[FILE_PAGES * PAGE];
    Arrays.fill(bytes, RETURN);
    Path file = Files.write(folder.resolve("file"), bytes);
    // What is written last lies behind all else.
    Images.debugfsWrite(image, "write \"%s\" file".formatted(file));
    root.boot(image);
  }

  @AfterEach
  void shutDown() throws IOException {
    if (root != null) {
      root.close();
    }
  }

  private Path data() throws IOException {
    try (Stream<Path> files = Files.list(folder.resolve("store"))) {
      return files.filter(each -> each.toString().endsWith(".data")).findFirst().orElseThrow();
    }
  }

  /** Where a page of the file is. */
  private long offset(int page) throws IOException {
    String blocks = Images.debugfs(data(), List.of("bmap /file " + page));
    return PAGE * Long.parseLong(blocks.substring(blocks.indexOf('\n')).strip());
  }

  @Test
  void usersOfWhatIsGoneGetSigbusAndAllElseLives() throws Exception {
    long end = offset(LEFT_PAGES);
    Thread cutter =
        Thread.ofPlatform()
            .start(
                () -> {
                  try (RandomAccessFile file = new RandomAccessFile(data().toFile(), "rw")) {
                    Path output = folder.resolve("output");
                    while (!Files.exists(output) || Files.size(output) == 0) {
                      Thread.sleep(10);
                    }
                    Thread.sleep(100);
                    file.setLength(end);
                  } catch (IOException | InterruptedException e) {
                    throw new IllegalStateException(e);
                  }
                });
    ProgramResult result = root.run("/cut");
    cutter.join();
    assertThat(root.output())
        .as(result.toString())
        .isEqualTo(
            """
            ready
            load: 7
            child: 7
            vector: 7
            fetch: 7
            read: 5
            left: 4096 1
            """);
    assertThat(result.status()).isEqualTo(7);
    assertThatThrownBy(() -> root.run("/cut"))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("it was truncated while in use");
  }

  @Test
  void damageOfTheImageEndsProgramsAndNothingElse() throws Exception {
    root.limit(Duration.ofSeconds(5));
    byte[] whole = Files.readAllBytes(data());
    long seed = System.nanoTime();
    Random random = new Random(seed);
    try (RandomAccessFile file = new RandomAccessFile(data().toFile(), "rw")) {
      for (int i = 0; i < ROUNDS; i++) {
        Thread damage =
            Thread.ofPlatform().start(() -> damage(file, new Random(random.nextLong())));
        try {
          root.run("/bin/dash", "-c", "cat /file /poem | cat; cd /bin; echo *; cat cat >/dev/null");
        } catch (IOException e) {
          // The image says no more than that.
        }
        damage.join();
        file.seek(0);
        file.write(whole);
      }
    }
    assertThat(root.run("/bin/dash", "-c", "cat /poem").status()).as("seed %d", seed).isZero();
    assertThat(root.output()).isEqualTo("line\n");
  }

  /** Overwrites bytes of any kind, half of them where the directories and inodes are. */
  private static void damage(RandomAccessFile file, Random random) {
    byte[] bytes = new byte[16];
    try {
      for (int i = 0; i < 200; i++) {
        random.nextBytes(bytes);
        long end = random.nextBoolean() ? file.length() : METADATA;
        file.seek(random.nextLong(end - bytes.length));
        file.write(bytes);
        Thread.sleep(1);
      }
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
