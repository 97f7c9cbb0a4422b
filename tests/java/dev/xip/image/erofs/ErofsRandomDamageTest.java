package dev.xip.image.erofs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.image.DamageSeed;
import dev.xip.image.RandomDamageContract;
import dev.xip.image.WholeReading;
import dev.xip.testing.Judge;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

class ErofsRandomDamageTest extends RandomDamageContract {
  ErofsRandomDamageTest() {
    super(new ErofsFormat(), 8_000, 512L << 20);
  }

  @Override
  protected List<ErofsDamageSeed> seeds(Path folder) throws IOException {
    Judge.program("mkfs.erofs");
    return ErofsDamageSeed.all(folder);
  }

  @Override
  protected void checkSound(DamageSeed seed, WholeReading reading) {
    assertThat(reading.types).as(seed.name).hasSize(4);
    assertThat(reading.attributes).as(seed.name).isGreaterThanOrEqualTo(8);
  }
}
