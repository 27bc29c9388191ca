"""The services of an OpenStack cloud: Keystone, Nova, Cinder, Neutron, Placement and Glance."""
