"""A volume driver that keeps no data: Cinder's own logging driver, made able to extend a volume."""

from cinder.tests import fake_driver


class LabVolumeDriver(fake_driver.FakeLoggingVolumeDriver):
    def extend_volume(self, volume, new_size):
        """Nothing is stored, so nothing has to grow; Cinder's database keeps the new size."""
